#include "chat/generation_sink.h"

#include <utility>

namespace tars::chat {
namespace {

double seconds(SteadyTime::duration d) { return std::chrono::duration<double>(d).count(); }

Outcome outcome_of(const llm::Completion& completion) {
  Outcome outcome;
  switch (completion.reason) {
    case llm::FinishReason::stop: outcome.finish_reason = "stop"; break;
    case llm::FinishReason::length: outcome.finish_reason = "length"; break;
    case llm::FinishReason::cancelled:
      outcome.finish_reason = "cancelled";
      outcome.status = RunStatus::cancelled;
      break;
  }
  outcome.prompt_tokens = completion.prompt_tokens;
  outcome.cached_tokens = completion.cached_tokens;
  return outcome;
}

}  // namespace

Outcome failed_outcome(Error error) {
  Outcome outcome;
  outcome.status = RunStatus::failed;
  outcome.error = std::move(error);
  return outcome;
}

GenerationSink::GenerationSink(std::shared_ptr<LiveRun> live, std::shared_ptr<Mailbox> mailbox,
                               const Clock& clock, telemetry::Metrics& metrics)
    : live_(std::move(live)), mailbox_(std::move(mailbox)), clock_(clock), metrics_(metrics) {}

void GenerationSink::on_start(int prompt_tokens, int cached_tokens) {
  live_->run->start(prompt_tokens, cached_tokens);
}

void GenerationSink::on_token(std::string_view text) {
  const SteadyTime now = clock_.steady();
  live_->run->append(text, now);
  if (!last_token_) {
    metrics_.time_to_first_token.Observe(seconds(now - live_->run->info().submitted_at));
  } else if (!paused_) {
    metrics_.inter_token.Observe(seconds(now - *last_token_));
  }
  paused_ = false;
  last_token_ = now;
}

void GenerationSink::on_step_end() { live_->run->wake(); }

void GenerationSink::on_done(std::string_view rest, Result<llm::Completion> result) {
  live_->run->append_rest(rest);
  live_->end(result ? outcome_of(*result) : failed_outcome(std::move(result).error()), clock_);
  // The worker first: who is woken and at once sends the next turn must find this one in the
  // history.
  mailbox_->ended(live_);
  live_->run->wake();
}

}  // namespace tars::chat
