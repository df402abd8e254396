#include "chat/live_run.h"

#include <utility>

#include "base/sha256.h"

namespace tars::chat {
namespace {

Outcome cancelled() {
  return {.status = RunStatus::cancelled, .finish_reason = "cancelled", .error = {}};
}

}  // namespace

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
  end(cancelled(), clock);
  return false;
}

bool LiveRun::end(Outcome outcome, const Clock& clock) {
  {
    std::lock_guard lock(mutex_);
    if (phase_ == Phase::ended) return false;
    phase_ = Phase::ended;
  }
  finish(std::move(outcome), clock);
  return true;
}

void LiveRun::finish(Outcome outcome, const Clock& clock) {
  outcome.latency_ms =
      std::chrono::duration<double, std::milli>(clock.steady() - run->info().submitted_at).count();
  run->finish(std::move(outcome));
}

bool LiveRun::stop(const Clock& clock) {
  {
    std::lock_guard lock(mutex_);
    if (phase_ == Phase::ended) return false;
    if (phase_ == Phase::waiting) {
      phase_ = Phase::ended;
      finish(cancelled(), clock);
      return true;
    }
    stop_asked_ = true;
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
