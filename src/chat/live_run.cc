#include "chat/live_run.h"

#include <utility>

#include "base/ids.h"

namespace tars::chat {

LiveRun::LiveRun(RunInfo info, ChatRequest chat)
    : run(std::make_shared<Run>(std::move(info))),
      request(std::move(chat)),
      content_hash(sha256_hex(request.content)) {}

LiveRun::LiveRun(std::shared_ptr<Run> ended, std::string hash)
    : run(std::move(ended)),
      content_hash(std::move(hash)),
      stored{.created = true, .tokens = run->tokens(), .ended = true},
      phase_(Phase::ended) {}

bool LiveRun::begin() {
  std::lock_guard lock(mutex_);
  if (phase_ != Phase::waiting) return false;
  phase_ = Phase::started;
  return true;
}

bool LiveRun::put_back(const Clock& clock) {
  {
    std::lock_guard lock(mutex_);
    if (phase_ != Phase::started) return false;
    if (!stop_asked_) {
      phase_ = Phase::waiting;
      return true;
    }
  }
  end({.status = RunStatus::cancelled, .finish_reason = "cancelled", .error = {}}, clock);
  return false;
}

bool LiveRun::end(Outcome outcome, const Clock& clock) {
  {
    std::lock_guard lock(mutex_);
    if (phase_ == Phase::ended) return false;
    phase_ = Phase::ended;
  }
  outcome.latency_ms =
      std::chrono::duration<double, std::milli>(clock.steady() - run->info().submitted_at).count();
  run->finish(std::move(outcome));
  return true;
}

bool LiveRun::stop(const Clock& clock) {
  {
    std::lock_guard lock(mutex_);
    if (phase_ == Phase::ended) return false;
    if (phase_ == Phase::started) {
      stop_asked_ = true;
    } else {
      phase_ = Phase::ended;
    }
    if (phase_ == Phase::ended) {
      Outcome outcome{.status = RunStatus::cancelled, .finish_reason = "cancelled", .error = {}};
      outcome.latency_ms =
          std::chrono::duration<double, std::milli>(clock.steady() - run->info().submitted_at)
              .count();
      run->finish(std::move(outcome));
      return true;
    }
  }
  stop_.request_stop();
  return false;
}

void LiveRun::abandon(SteadyTime deadline) { abandoned_until_ = deadline; }

void LiveRun::adopt() { abandoned_until_ = SteadyTime::max(); }

std::optional<SteadyTime> LiveRun::abandoned_until() const {
  const SteadyTime until = abandoned_until_;
  if (until == SteadyTime::max()) return std::nullopt;
  return until;
}

}  // namespace tars::chat
