#include "chat/registry.h"

#include <utility>

#include "chat/client_key.h"

namespace tars::chat {

void Registry::add(std::shared_ptr<LiveRun> run) {
  std::lock_guard lock(mutex_);
  const RunInfo& info = run->run->info();
  if (!info.message_id.empty()) by_message_[client_key(info.client_id, info.message_id)] = info.id;
  runs_[info.id] = Entry{std::move(run)};
}

void Registry::remove(const LiveRun& run) {
  std::lock_guard lock(mutex_);
  erase(run.run->info().id);
}

void Registry::ended(const LiveRun& run) {
  std::lock_guard lock(mutex_);
  const auto at = runs_.find(run.run->info().id);
  if (at == runs_.end() || at->second.ended) return;
  at->second.ended = true;
  at->second.bytes = run.memory();
  ended_bytes_ += at->second.bytes;
  ended_.push_back(at->first);
  while (ended_.size() > max_ended_ || (ended_bytes_ > max_bytes_ && ended_.size() > 1)) {
    erase(ended_.front());
    ended_.pop_front();
  }
}

void Registry::erase(const std::string& run_id) {
  const auto at = runs_.find(run_id);
  if (at == runs_.end()) return;
  const RunInfo& info = at->second.run->run->info();
  const auto message = by_message_.find(client_key(info.client_id, info.message_id));
  if (message != by_message_.end() && message->second == run_id) by_message_.erase(message);
  ended_bytes_ -= at->second.bytes;
  runs_.erase(at);
}

std::shared_ptr<LiveRun> Registry::find(std::string_view client_id, std::string_view run_id) const {
  std::lock_guard lock(mutex_);
  const auto at = runs_.find(std::string(run_id));
  if (at == runs_.end() || at->second.run->run->info().client_id != client_id) return nullptr;
  return at->second.run;
}

std::shared_ptr<LiveRun> Registry::find_message(std::string_view client_id,
                                                std::string_view message_id) const {
  std::lock_guard lock(mutex_);
  const auto id = by_message_.find(client_key(client_id, message_id));
  if (id == by_message_.end()) return nullptr;
  const auto at = runs_.find(id->second);
  return at == runs_.end() ? nullptr : at->second.run;
}

Registry::Runs Registry::match(std::string_view client_id, const CancelTarget& target) const {
  if (target.run_id) {
    auto run = find(client_id, *target.run_id);
    return run ? Runs{std::move(run)} : Runs{};
  }
  if (target.message_id) {
    auto run = find_message(client_id, *target.message_id);
    return run ? Runs{std::move(run)} : Runs{};
  }
  Runs found;
  if (!target.conversation_id) return found;
  for (auto& run : active()) {
    const RunInfo& info = run->run->info();
    if (info.client_id == client_id && info.conversation_id == *target.conversation_id) {
      found.push_back(std::move(run));
    }
  }
  return found;
}

Registry::Runs Registry::begun_by(std::string_view client_id, std::string_view family,
                                  std::string_view token_id) const {
  Runs found;
  for (auto& run : active()) {
    const ChatRequest& request = run->request;
    if (request.client_id == client_id && request.family == family &&
        (token_id.empty() || request.token_id == token_id)) {
      found.push_back(std::move(run));
    }
  }
  return found;
}

Registry::Runs Registry::active() const {
  std::lock_guard lock(mutex_);
  Runs active;
  for (const auto& [id, entry] : runs_) {
    if (!entry.ended) active.push_back(entry.run);
  }
  return active;
}

}  // namespace tars::chat
