// The weights, the KV memory and the threads that compute: llama.cpp behind one class.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "base/error.h"
#include "llm/llama/offload.h"
#include "llm/llama/vocabulary.h"
#include "llm/options.h"

namespace tars::llm {

struct BatchToken {
  TokenId token = 0;
  int position = 0;
  int slot = 0;
  bool wants_logits = false;
};

enum class DecodeOutcome { done, aborted, failed };

// Owns model, context and thread pool. KV memory is reserved for all slots and becomes resident as
// tokens use it. vocabulary() may be used from any thread; everything else from the model's thread.
class LoadedModel {
 public:
  static constexpr int kBatchTokens = 256;

  // Reads the weights: seconds for a large model. `context_length` tokens for each slot. Offloads
  // what options.gpu_layers asks for; where it leaves the number open and a device has no memory
  // for what was planned, fewer layers. `keep_going` is asked now and then; false ends the load
  // with an error.
  static Result<LoadedModel> load(const LlamaOptions& options, int context_length, int threads,
                                  std::function<bool()> keep_going);
  LoadedModel(LoadedModel&&) noexcept;
  LoadedModel& operator=(LoadedModel&&) noexcept;
  ~LoadedModel();

  const Vocabulary& vocabulary() const;
  const Offload& offload() const;
  // At most kBatchTokens, tokens of one slot next to each other and in order. `abort` is called
  // often from this thread while the CPU computes, and not while a GPU does; when it answers true
  // the outcome is `aborted` and the slots' memory beyond what was there before is to be dropped
  // with keep_prefix.
  DecodeOutcome decode(std::span<const BatchToken> batch, std::function<bool()> abort);
  // The row of the batch's i-th token, which wanted logits; until the next decode.
  std::span<const float> logits(std::size_t i) const;
  // Drops what the slot holds from position `tokens` on. False when the model cannot drop a part;
  // the slot is then empty.
  bool keep_prefix(std::size_t slot, std::size_t tokens);
  void use_threads(int threads);

 private:
  struct Parts;
  explicit LoadedModel(std::unique_ptr<Parts> parts);
  static Result<LoadedModel> load_once(const LlamaOptions& options, int context_length, int threads,
                                       const Offload& offload,
                                       const std::function<bool()>& keep_going);
  std::unique_ptr<Parts> parts_;
};

}  // namespace tars::llm
