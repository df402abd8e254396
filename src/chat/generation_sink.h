// Where the model's thread writes: tokens into the run, figures into the metrics, the end to the
// worker.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "chat/live_run.h"
#include "chat/mailbox.h"
#include "llm/backend.h"
#include "telemetry/metrics.h"

namespace tars::chat {

// Called by the backend's thread alone. Never blocks on the worker or the store; holds no lock
// while it wakes followers. Keeps run and mailbox alive until the backend lets go of it.
class GenerationSink final : public llm::Sink {
 public:
  GenerationSink(std::shared_ptr<LiveRun> live, std::shared_ptr<Mailbox> mailbox,
                 const Clock& clock, telemetry::Metrics& metrics);

  void on_start(int prompt_tokens, int cached_tokens) override;
  void on_pause() override { paused_ = true; }
  void on_token(std::string_view text) override;
  void on_step_end() override;
  void on_done(std::string_view rest, Result<llm::Completion> result) override;

 private:
  const std::shared_ptr<LiveRun> live_;
  const std::shared_ptr<Mailbox> mailbox_;
  const Clock& clock_;
  telemetry::Metrics& metrics_;
  std::optional<SteadyTime> last_token_;
  bool paused_ = false;  // since the last token: the gap is no time between tokens
};

// What a refusal or a failure of the model makes of a run.
Outcome failed_outcome(Error error);

}  // namespace tars::chat
