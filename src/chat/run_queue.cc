#include "chat/run_queue.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "chat/client_key.h"

namespace tars::chat {

std::string RunQueue::conversation_key(const Ticket& ticket) {
  return client_key(ticket.client, ticket.conversation);
}

RunQueue::Client& RunQueue::client(const std::string& id) {
  const auto [at, is_new] = clients_.try_emplace(id);
  if (is_new) at->second.served = ++turn_;
  return at->second;
}

void RunQueue::forget_if_idle(const std::string& id) {
  const auto at = clients_.find(id);
  if (at != clients_.end() && at->second.running == 0 && at->second.waiting.empty())
    clients_.erase(at);
}

bool RunQueue::has_room(const Ticket& ticket, const Room& room) const {
  const LaneRoom most = room(ticket.lane);
  const auto lane = lanes_.find(ticket.lane);
  if (lane == lanes_.end()) return most.runs > 0;
  if (lane->second.running < most.runs) return true;
  if (!most.pauses || !std::cmp_less(lane->second.clients.size(), most.runs)) return false;
  const auto owner = clients_.find(ticket.client);
  return owner == clients_.end() || owner->second.running == 0;
}

void RunQueue::begin(Ticket ticket) {
  Lane& lane = lanes_[ticket.lane];
  ++lane.running;
  ++lane.clients[ticket.client];
  std::string run = ticket.run;
  running_.emplace(std::move(run), std::move(ticket));
}

void RunQueue::leave_lane(const Ticket& ticket) {
  Lane& lane = lanes_[ticket.lane];
  --lane.running;
  const auto client = lane.clients.find(ticket.client);
  if (--client->second == 0) lane.clients.erase(client);
}

RunQueue::Admission RunQueue::admit(Ticket ticket, const Room& room) {
  ++changes_;
  Client& owner = client(ticket.client);
  const std::string key = conversation_key(ticket);
  const bool conversation_waits = std::ranges::any_of(
      owner.waiting, [&](const Ticket& t) { return conversation_key(t) == key; });
  if (has_room(ticket, room) && owner.running < limits_.running_per_client && !conversation_waits &&
      !busy_.contains(key)) {
    ++owner.running;
    owner.served = ++turn_;
    busy_.insert(key);
    begin(std::move(ticket));
    return Admission::started;
  }
  if (std::cmp_greater_equal(owner.waiting.size(), limits_.waiting_per_client)) {
    forget_if_idle(ticket.client);
    return Admission::client_full;
  }
  if (std::cmp_greater_equal(waiting_, limits_.waiting_total)) {
    forget_if_idle(ticket.client);
    return Admission::total_full;
  }
  owner.waiting.push_back(std::move(ticket));
  ++waiting_;
  return Admission::waiting;
}

std::optional<RunQueue::Ticket> RunQueue::take(
    Clients& clients, Conversations& busy, int running_limit, std::uint64_t& turn,
    const std::function<bool(const Ticket&)>& may_start) {
  Client* chosen = nullptr;
  std::deque<Ticket>::iterator chosen_ticket;
  for (auto& [id, candidate] : clients) {
    if (candidate.running >= running_limit) continue;
    if (chosen && std::pair(chosen->running, chosen->served) <
                      std::pair(candidate.running, candidate.served)) {
      continue;
    }
    // A turn that cannot start holds up the later ones of its conversation, in other lanes too.
    Conversations held_up;
    const auto ticket = std::ranges::find_if(candidate.waiting, [&](const Ticket& t) {
      std::string key = conversation_key(t);
      if (busy.contains(key) || held_up.contains(key)) return false;
      if (may_start(t)) return true;
      held_up.insert(std::move(key));
      return false;
    });
    if (ticket == candidate.waiting.end()) continue;
    chosen = &candidate;
    chosen_ticket = ticket;
  }
  if (!chosen) return std::nullopt;
  Ticket ticket = std::move(*chosen_ticket);
  chosen->waiting.erase(chosen_ticket);
  ++chosen->running;
  chosen->served = ++turn;
  busy.insert(conversation_key(ticket));
  return ticket;
}

std::optional<std::string> RunQueue::next(const Room& room) {
  auto ticket = take(clients_, busy_, limits_.running_per_client, turn_,
                     [&](const Ticket& t) { return has_room(t, room); });
  if (!ticket) return std::nullopt;
  ++changes_;
  --waiting_;
  std::string run = ticket->run;
  begin(*std::move(ticket));
  return run;
}

void RunQueue::put_back(const std::string& run) {
  auto node = running_.extract(run);
  if (node.empty()) return;
  ++changes_;
  busy_.erase(conversation_key(node.mapped()));
  leave_lane(node.mapped());
  Client& owner = client(node.mapped().client);
  --owner.running;
  owner.waiting.push_front(std::move(node.mapped()));
  ++waiting_;
}

void RunQueue::remove(const std::string& run) {
  ++changes_;
  if (auto node = running_.extract(run); !node.empty()) {
    busy_.erase(conversation_key(node.mapped()));
    leave_lane(node.mapped());
    // Behind whoever waited meanwhile: a client that runs one after the other takes turns too.
    Client& owner = client(node.mapped().client);
    --owner.running;
    owner.served = ++turn_;
    forget_if_idle(node.mapped().client);
    return;
  }
  for (auto& [id, owner] : clients_) {
    if (std::erase_if(owner.waiting, [&](const Ticket& t) { return t.run == run; }) == 0) continue;
    --waiting_;
    forget_if_idle(std::string(id));
    return;
  }
}

std::vector<std::string> RunQueue::order() const {
  std::vector<std::string> order;
  if (waiting_ == 0) return order;
  Clients clients = clients_;
  Conversations busy = busy_;
  std::uint64_t turn = turn_;
  const auto any = [](const Ticket&) { return true; };
  while (auto ticket = take(clients, busy, limits_.running_per_client, turn, any)) {
    order.push_back(std::move(ticket->run));
  }
  // The rest is blocked now: in the order in which it would come if nothing blocked it.
  while (order.size() < waiting_) {
    busy.clear();
    while (auto ticket = take(clients, busy, std::numeric_limits<int>::max(), turn, any)) {
      order.push_back(std::move(ticket->run));
    }
  }
  return order;
}

}  // namespace tars::chat
