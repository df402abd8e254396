// The engine: one worker thread between followers, the model and the store.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock_watch.h"
#include "chat/engine.h"
#include "chat/mailbox.h"
#include "chat/registry.h"
#include "chat/repository.h"
#include "chat/run_queue.h"
#include "chat/store_writer.h"
#include "telemetry/metrics.h"

namespace tars::chat {

// What every command is answered once the engine drains.
Error shutting_down();
// What a command or a run is answered that met a fault; the log says which.
Error server_failed();

// Any thread finds and stops runs through registry_ and mailbox_; all else is the worker's alone.
class ChatEngine final : public Engine {
 public:
  ChatEngine(Repository repository, Options options, llm::Backend& backend, const Clock& clock,
             telemetry::Metrics& metrics);
  ~ChatEngine() override;

  void submit(ChatRequest request, std::function<void()> wake, FollowDone done) override;
  void follow(std::string client_id, RunName run, std::function<void()> wake,
              FollowDone done) override;
  void cancel(std::string client_id, CancelTarget target,
              std::function<void(Result<void>)> done) override;
  void revoke(std::string_view client_id, std::string_view family,
              std::string_view token_id) override;
  Counts counts() const override;
  void set_store_listener(std::function<void(const std::string& trouble)> listener) override;
  Result<void> check_store() const override;
  void drain() override;
  bool is_drained() const override;
  Result<void> shutdown() override;

 private:
  // -- worker.cc: the loop and what it does on each round
  void work();
  void carry_out(Command& command);
  std::chrono::steady_clock::duration patience() const;
  void reap(const LiveRun& run);
  void stop_abandoned();
  void start_waiting();
  void update_positions();
  void flush();
  void answer_stored();
  void write_last();
  void prune();
  Result<std::size_t> prune_some();
  void leave_no_run();

  // -- commands.cc
  void handle(SubmitCommand& command);
  void handle(FollowCommand& command);
  void handle(CancelCommand& command);
  void answer_once_stored(std::shared_ptr<LiveRun> run, SubmitCommand& command);
  Result<std::shared_ptr<LiveRun>> find_message(const std::string& client_id,
                                                const std::string& message_id);
  Result<std::shared_ptr<LiveRun>> find_run(const std::string& client_id,
                                            const std::string& run_id);
  Result<std::shared_ptr<LiveRun>> restore(Result<std::optional<StoredRun>> stored);
  Result<std::optional<StoredRun>> stored_run(const std::string& client_id,
                                              const std::string& run_id);
  Result<std::optional<StoredRun>> stored_message(const std::string& client_id,
                                                  const std::string& message_id);
  Result<std::shared_ptr<LiveRun>> accept(ChatRequest request);
  Result<void> admit(const std::shared_ptr<LiveRun>& run);
  void forget(LiveRun& run);
  Result<void> start(const std::shared_ptr<LiveRun>& run);
  Result<void> generate(const std::shared_ptr<LiveRun>& run);
  Result<llm::Request> prompt(const LiveRun& run);
  std::unique_ptr<Follower> attach(std::shared_ptr<LiveRun> run, std::function<void()> wake);
  RunQueue::LaneRoom room(const std::string& lane);
  void hold(const std::string& lane) { holds_[lane] = clock_.steady() + kHold; }

  const Options options_;
  llm::Backend& backend_;
  const Clock& clock_;
  telemetry::Metrics& metrics_;
  Registry registry_;
  const std::shared_ptr<Mailbox> mailbox_;
  std::atomic<bool> draining_ = false;
  std::atomic<bool> drain_seen_ = false;  // by a whole round of the worker
  std::atomic<bool> stopping_ = false;
  std::atomic<SteadyTime> round_began_ = SteadyTime::max();  // the latest: the worker rests
  std::atomic<std::size_t> running_ = 0;
  std::atomic<std::size_t> waiting_ = 0;

  Repository repository_;
  const store::FilePlace place_;  // any thread
  StoreWriter writer_;
  RunQueue queue_;
  std::uint64_t positions_of_ = 0;  // the change of queue_ that all positions are of
  std::unordered_map<std::string, std::shared_ptr<LiveRun>> active_;  // by run id
  // Runs from the store, by id, while somebody follows them: all their readers share one.
  std::unordered_map<std::string, std::weak_ptr<LiveRun>> restored_;
  SteadyTime flush_at_{};
  // A beginning or an end that the store does not hold yet, and the earliest time to write it.
  bool has_news_ = false;
  SteadyTime news_at_{};
  // Submits whose run begins with the next write: nobody hears of a run that a kill could undo.
  struct Unanswered {
    std::shared_ptr<LiveRun> run;
    SubmitCommand command;
  };
  std::vector<Unanswered> unanswered_;
  // The earliest time at which a run without followers is to be stopped. A nudge says that there
  // may be an earlier one: to ask hundreds of runs on every round would cost more than the rounds.
  SteadyTime abandoned_at_ = SteadyTime::max();
  SteadyTime prune_at_{};
  // What is pruned by a clock that is ahead for a moment is gone all the same.
  ClockWatch watch_;
  static constexpr std::chrono::milliseconds kHold{50};
  // By lane: its backend had no room, or no model yet; try again then.
  std::unordered_map<std::string, SteadyTime> holds_;
  SteadyTime stop_deadline_ = SteadyTime::max();

  Result<void> last_writes_;  // the worker's, for whoever has joined it
  std::once_flag joined_;
  std::thread worker_;  // last: it uses everything above
};

}  // namespace tars::chat
