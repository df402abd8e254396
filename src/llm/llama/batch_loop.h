// Continuous batching: which tokens of which generations go into the next step of the model.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "llm/llama/fair_slots.h"
#include "llm/llama/generation.h"
#include "llm/llama/loaded_model.h"
#include "llm/llama/prefill_budget.h"
#include "llm/llama/slot_table.h"
#include "llm/llama/thread_governor.h"
#include "telemetry/metrics.h"

namespace tars::llm {

// Owns the running generations and says everything to their sinks. All members belong to the
// model's thread; `closing` is asked during steps, each time that the CPU has got on, and ends them
// early.
class BatchLoop {
 public:
  BatchLoop(LoadedModel& model, std::size_t slots, int threads, const Clock& clock,
            telemetry::Metrics& metrics, std::function<bool()> closing);

  bool has_room() const { return running_.size() < slots_.size(); }
  std::size_t running() const { return running_.size(); }

  // Who has the slots, in the order in which they got them.
  std::vector<SlotHolder> holders() const;

  // Gives a fitted generation its slot; a paused one goes on where it was. Needs has_room().
  void start(std::unique_ptr<Generation> generation);
  // Takes the slot from the i-th of holders(). What it has of sampler and text goes with it; its
  // tokens are computed again when it is started again, or found in a slot.
  std::unique_ptr<Generation> pause(std::size_t i);
  // Ends what was stopped, then computes two batches: a token for every answer under way, and a
  // part of the waiting prompts. Answers how many generations it ended.
  std::size_t step();
  // Ends all with `result` in place of what they would have got.
  void end_all(const Result<Completion>& result);

  // Ends one that has no slot, in the same way.
  static void end_waiting(Generation& generation, const Result<Completion>& result,
                          const Clock& clock, telemetry::Metrics& metrics);

 private:
  static void finish(Generation& generation, std::string_view rest, Result<Completion> result,
                     const Clock& clock, telemetry::Metrics& metrics);
  void end_stopped();
  int compose_decode();
  int compose_prompts(int budget);
  bool compute();
  void add_prompt(Generation& generation, int tokens);
  DecodeOutcome decode();
  void commit();
  void forget_batch();
  void take_tokens();
  void take_token(Generation& generation);
  void end(Generation& generation, std::string_view rest, Result<Completion> result);
  std::size_t sweep();

  LoadedModel& model_;
  SlotTable slots_;
  const Clock& clock_;
  telemetry::Metrics& metrics_;
  const std::function<bool()> closing_;
  ThreadGovernor governor_;
  PrefillBudget budget_;
  StepShapes shapes_;
  double batch_ms_ = 0;  // of the last batch that was computed whole

  std::vector<std::unique_ptr<Generation>> running_;  // in order of arrival
  std::uint64_t begun_ = 0;
  std::vector<BatchToken> batch_;
  std::vector<Generation*> in_batch_;
  std::string piece_;
};

}  // namespace tars::llm
