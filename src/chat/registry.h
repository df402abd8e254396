// The runs in memory: found by id, by message, by conversation and by token.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "chat/live_run.h"

namespace tars::chat {

// Thread-safe; never calls out. Active runs stay until ended(); of the ended ones it keeps those
// that ended last: at most `max_ended`, and, but for the last one, at most `max_bytes` of logs and
// questions.
class Registry {
 public:
  using Runs = std::vector<std::shared_ptr<LiveRun>>;

  Registry(std::size_t max_ended, std::size_t max_bytes)
      : max_ended_(max_ended), max_bytes_(max_bytes) {}

  void add(std::shared_ptr<LiveRun> run);
  // Forgets a run that was refused after all.
  void remove(const LiveRun& run);
  // From now on it may be forgotten when younger ones need the room.
  void ended(const LiveRun& run);

  // Null when there is none, or when it is another client's.
  std::shared_ptr<LiveRun> find(std::string_view client_id, std::string_view run_id) const;
  std::shared_ptr<LiveRun> find_message(std::string_view client_id,
                                        std::string_view message_id) const;
  // Those that a cancel means: by run and message also ended ones, by conversation the active.
  Runs match(std::string_view client_id, const CancelTarget& target) const;
  // Active ones that a token began; an empty token_id means the family.
  Runs begun_by(std::string_view client_id, std::string_view family,
                std::string_view token_id) const;
  Runs active() const;

 private:
  struct Entry {
    std::shared_ptr<LiveRun> run;
    bool ended = false;
    std::size_t bytes = 0;  // of its log and question, once it has ended
  };
  void erase(const std::string& run_id);

  const std::size_t max_ended_;
  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry> runs_;
  std::unordered_map<std::string, std::string> by_message_;  // → run id
  std::list<std::string> ended_;                             // oldest first, run ids
  std::size_t ended_bytes_ = 0;
};

}  // namespace tars::chat
