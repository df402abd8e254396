// A run together with what only the engine needs to know about it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "chat/engine.h"
#include "chat/run.h"

namespace tars::chat {

// Owns the run's stop signal and its place between waiting and ended. Thread-safe: the worker
// begins it, the model's thread ends it, any thread may stop it.
class LiveRun {
 public:
  LiveRun(RunInfo info, ChatRequest request);
  // One that has ended, from the store.
  LiveRun(std::shared_ptr<Run> ended, std::string content_hash);

  const std::shared_ptr<Run> run;
  const ChatRequest request;  // empty for one from the store
  const std::string content_hash;

  // waiting → started; false when it was stopped before.
  bool begin();
  // started → waiting: the model had no room. False when a stop came meanwhile; it has then ended.
  bool put_back(const Clock& clock);
  // Ends it once, as `outcome`: false when it had ended. latency_ms is filled in here. Does not
  // wake.
  bool end(Outcome outcome, const Clock& clock);

  // A waiting run ends here and now, as cancelled (true: the caller tells the worker, then wakes);
  // a started one's model is told to stop (the stop callbacks run in this thread).
  bool stop(const Clock& clock);
  std::stop_token stop_token() const { return stop_.get_token(); }
  // Bytes that its log and its question take.
  std::size_t memory() const { return run->memory() + request.content.size(); }

  // Nobody follows it any more: it is stopped at `deadline` unless somebody comes back.
  void abandon(SteadyTime deadline);
  void adopt();
  std::optional<SteadyTime> abandoned_until() const;

  // -- the worker alone: how much of it the store holds
  struct Stored {
    bool created = false;
    std::size_t tokens = 0;
    bool ended = false;
  };
  Stored stored;

 private:
  enum class Phase { waiting, started, ended };

  void finish(Outcome outcome, const Clock& clock);

  mutable std::mutex mutex_;
  Phase phase_ = Phase::waiting;
  bool stop_asked_ = false;
  std::atomic<SteadyTime> abandoned_until_ = SteadyTime::max();  // the latest: it is not
  std::stop_source stop_;
};

}  // namespace tars::chat
