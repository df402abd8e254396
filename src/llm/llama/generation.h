// One accepted request on its way through the model.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/clock.h"
#include "llm/backend.h"
#include "llm/llama/answer_text.h"
#include "llm/llama/sampler.h"
#include "llm/prompt_fit.h"

namespace tars::llm {

// Owned by the queue, then by the batch loop. Only `stop` and stopped_at are touched by other
// threads.
struct Generation {
  Generation(Request r, std::shared_ptr<Sink> s, std::stop_token t)
      : request(std::move(r)),
        sink(std::move(s)),
        stop(std::move(t)),
        sampler(request.sampling),
        text(request.sampling.stop) {}

  bool stopped() const { return stop.stop_requested(); }
  bool prefilling() const { return computed < prompt.size(); }

  Request request;
  std::shared_ptr<Sink> sink;
  std::stop_token stop;
  // Empty until fitted. Of an answer that was paused: also what it had said and computed by then.
  std::vector<TokenId> prompt;
  int max_tokens = 0;

  Sampler sampler;
  AnswerText text;
  std::size_t slot = 0;
  std::uint64_t begun = 0;  // order of its first slot; 0 = it had none yet
  int prompt_tokens = 0;  // of the request, once begun
  std::size_t cached = 0;  // of those, how many were in its first slot already
  std::size_t computed = 0;  // of `prompt`, how many are in the model's memory
  TokenId next = 0;  // sampled, not yet computed
  int generated = 0;
  int keeps_slot_until = 0;  // generated: after a pause it has so much to say before the next
  std::optional<std::size_t> logits_row;  // in the running batch
  std::size_t batch_tokens = 0;  // in the running batch

  std::atomic<SteadyTime::rep> stopped_at{0};  // steady ticks of the stop request
  // Last: it may run on another thread until it is destroyed.
  std::optional<std::stop_callback<std::function<void()>>> on_stop;
};

}  // namespace tars::llm
