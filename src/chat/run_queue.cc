#include "chat/run_queue.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <utility>

#include "chat/client_key.h"

namespace tars::chat {

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

void RunQueue::begin(Client& owner, Ticket ticket) {
  ++owner.running;
  owner.served = ++turn_;
  busy_.insert(ticket.conversation);
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
  ticket.conversation = client_key(ticket.client, ticket.conversation);
  const bool conversation_waits = std::ranges::any_of(
      owner.waiting, [&](const Ticket& t) { return t.conversation == ticket.conversation; });
  if (has_room(ticket, room) && owner.running < limits_.running_per_client && !conversation_waits &&
      !busy_.contains(ticket.conversation)) {
    begin(owner, std::move(ticket));
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

// Past the end when none of the client's may start.
std::deque<RunQueue::Ticket>::iterator RunQueue::startable(Client& client, const Room& room) const {
  // A turn that cannot start holds up the later ones of its conversation, in other lanes too.
  Conversations held_up;
  return std::ranges::find_if(client.waiting, [&](const Ticket& ticket) {
    if (busy_.contains(ticket.conversation) || held_up.contains(ticket.conversation)) return false;
    if (has_room(ticket, room)) return true;
    held_up.insert(ticket.conversation);
    return false;
  });
}

std::optional<std::string> RunQueue::next(const Room& room) {
  Client* chosen = nullptr;
  std::deque<Ticket>::iterator chosen_ticket;
  for (auto& [id, candidate] : clients_) {
    if (candidate.running >= limits_.running_per_client) continue;
    if (chosen && std::pair(chosen->running, chosen->served) <
                      std::pair(candidate.running, candidate.served)) {
      continue;
    }
    const auto ticket = startable(candidate, room);
    if (ticket == candidate.waiting.end()) continue;
    chosen = &candidate;
    chosen_ticket = ticket;
  }
  if (!chosen) return std::nullopt;
  ++changes_;
  --waiting_;
  Ticket ticket = std::move(*chosen_ticket);
  chosen->waiting.erase(chosen_ticket);
  std::string run = ticket.run;
  begin(*chosen, std::move(ticket));
  return run;
}

void RunQueue::put_back(const std::string& run) {
  auto node = running_.extract(run);
  if (node.empty()) return;
  ++changes_;
  busy_.erase(node.mapped().conversation);
  leave_lane(node.mapped());
  Client& owner = client(node.mapped().client);
  --owner.running;
  owner.waiting.push_front(std::move(node.mapped()));
  ++waiting_;
}

void RunQueue::remove(const std::string& run) {
  ++changes_;
  if (auto node = running_.extract(run); !node.empty()) {
    busy_.erase(node.mapped().conversation);
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

void RunQueue::let_begin(std::vector<Line>& lines, Conversations& busy, int running_limit,
                         std::uint64_t& turn, std::vector<std::string>& order) {
  const auto later = [](const Line* a, const Line* b) {
    return std::pair(a->running, a->served) > std::pair(b->running, b->served);
  };
  std::priority_queue<Line*, std::vector<Line*>, decltype(later)> next(later);
  for (Line& line : lines) next.push(&line);
  while (!next.empty()) {
    Line& line = *next.top();
    next.pop();
    if (line.running >= running_limit) continue;
    const auto ticket = std::ranges::find_if(
        line.waiting, [&](const Ticket* t) { return !busy.contains(t->conversation); });
    if (ticket == line.waiting.end()) continue;  // nor later: nobody leaves `busy`
    order.push_back((*ticket)->run);
    busy.insert((*ticket)->conversation);
    line.waiting.erase(ticket);
    ++line.running;
    line.served = ++turn;
    next.push(&line);
  }
}

std::vector<std::string> RunQueue::order() const {
  std::vector<std::string> order;
  if (waiting_ == 0) return order;
  std::vector<Line> lines;
  for (const auto& [id, client] : clients_) {
    if (client.waiting.empty()) continue;
    Line& line =
        lines.emplace_back(Line{.waiting = {}, .running = client.running, .served = client.served});
    for (const Ticket& ticket : client.waiting) line.waiting.push_back(&ticket);
  }
  Conversations busy(busy_.begin(), busy_.end());
  std::uint64_t turn = turn_;
  let_begin(lines, busy, limits_.running_per_client, turn, order);
  // The rest is blocked now: in the order in which it would come if nothing blocked it.
  while (order.size() < waiting_) {
    busy.clear();
    let_begin(lines, busy, std::numeric_limits<int>::max(), turn, order);
  }
  return order;
}

}  // namespace tars::chat
