// The one kind of follower: a reader of a run in memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "chat/engine.h"
#include "chat/live_run.h"
#include "chat/mailbox.h"

namespace tars::chat {

// Stops `run`, and tells the worker and the followers where that ended it. Any thread.
void stop_run(const std::shared_ptr<LiveRun>& run, Mailbox& mailbox, const Clock& clock);

// May outlive the engine, not the clock.
class RunFollower final : public Follower {
 public:
  RunFollower(std::shared_ptr<LiveRun> live, std::shared_ptr<Mailbox> mailbox, const Clock& clock,
              std::chrono::seconds grace, std::function<void()> wake);
  RunFollower(const RunFollower&) = delete;
  RunFollower& operator=(const RunFollower&) = delete;
  ~RunFollower() override;

  const Run& run() const override { return *live_->run; }
  void leave(Leave how) override;

 private:
  const std::shared_ptr<LiveRun> live_;
  const std::shared_ptr<Mailbox> mailbox_;
  const Clock& clock_;
  const std::chrono::seconds grace_;
  std::uint64_t id_;  // 0 once it has left
};

}  // namespace tars::chat
