// Writes what runs hold in memory to the store, in batches; goes on when the store does not.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "chat/live_run.h"
#include "chat/repository.h"

namespace tars::chat {

// Also keeps what could not be read, so that it is tried again as well.
//
// For the worker thread, except trouble() and set_listener(). A run stays here until the store
// holds all of it; what a failed pass did not write the next one does. Bounded: of the ended runs
// that could not be written it keeps the `max_backlog` that ended last.
class StoreWriter {
 public:
  static constexpr std::chrono::seconds kRetry{1};

  StoreWriter(Repository& repository, const Clock& clock, std::size_t max_backlog)
      : repository_(repository), clock_(clock), max_backlog_(max_backlog) {}

  // What a pass writes. Runs begin and end one by one, tokens come from all of them at once: their
  // text is left to the passes in between, or each beginning and end would write a row for every
  // other run.
  enum class Scope { beginnings_and_ends, everything };

  void track(std::shared_ptr<LiveRun> run) { runs_.push_back(std::move(run)); }
  // One transaction with everything of `scope` that is new. Does nothing while the store is in
  // trouble and the last try is less than kRetry ago.
  void write(Scope scope = Scope::everything);
  // The same without waiting for the retry.
  void write_now(Scope scope = Scope::everything);
  // A read of the store failed, and `again` tries it once more: trouble until that succeeds. Of
  // several it is the first, one shows as well as all whether it goes on.
  void read_failed(const Error& error, std::function<Result<void>()> again);
  // When write() has something to do again, where it is in trouble.
  std::optional<SteadyTime> retry_at() const;

  // Turns of a conversation that are not stored to their end but will be part of
  // Repository::history(): ended with a text. Oldest first.
  std::vector<std::shared_ptr<LiveRun>> unsaved(std::string_view client_id,
                                                std::string_view conversation_id) const;
  std::size_t backlog() const { return runs_.size(); }
  // One that the store does not hold to its end yet; a refused one, which is to be forgotten, too.
  // Null when there is none.
  std::shared_ptr<LiveRun> find(std::string_view client_id, std::string_view run_id) const;
  std::shared_ptr<LiveRun> find_message(std::string_view client_id,
                                        std::string_view message_id) const;

  // Any thread. Empty when well.
  std::string trouble() const;
  // Any thread. Called from the worker thread when writes begin to fail and when they do no more,
  // without a lock.
  void set_listener(std::function<void(const std::string&)> listener);

 private:
  // Fills `at` with the place of the run that failed; past the end when none did.
  Result<std::vector<LiveRun::Stored>> try_write_all(Scope scope, std::size_t& at);
  Result<std::vector<LiveRun::Stored>> write_all(Scope scope, std::size_t& at);
  Result<LiveRun::Stored> write_run(const LiveRun& run);
  Result<void> forget_leftover(const RunInfo& info);
  void report(std::string trouble);
  void read_again();
  void report_read(std::string trouble);
  void bound_backlog();

  Repository& repository_;
  const Clock& clock_;
  const std::size_t max_backlog_;
  std::vector<std::shared_ptr<LiveRun>> runs_;  // in the order they came
  // The first pass is one as after trouble: it shows whether the store can be written.
  std::optional<SteadyTime> retry_at_ = SteadyTime{};
  std::function<Result<void>()> unread_;  // empty: what was read could be
  SteadyTime reread_at_ = SteadyTime::max();
  mutable std::mutex mutex_;
  std::string trouble_;  // with writes
  std::string read_trouble_;
  std::function<void(const std::string&)> listener_;
};

}  // namespace tars::chat
