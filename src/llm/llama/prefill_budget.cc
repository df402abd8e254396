#include "llm/llama/prefill_budget.h"

#include <algorithm>
#include <bit>

namespace tars::llm {
namespace {

constexpr double kWeight = 0.2;
constexpr double kStretch = 2.2;  // of a step with a chunk against one without
// Others who come meanwhile wait for the whole chunk. Reading a large model's weights for each
// takes part of a second, which is little of it.
constexpr double kLongestChunkMs = 5000;

void learn(double& average, double value) {
  average = average == 0 ? value : average + kWeight * (value - average);
}

}  // namespace

int PrefillBudget::chunk(int decoding) const {
  if (decoding == 0) return alone_;
  const double decode = decode_ms(decoding);
  if (decode == 0 || prompt_token_ms_ == 0) return smallest_;
  const double tokens = (kStretch - 1) * decode / prompt_token_ms_;
  return static_cast<int>(std::clamp<double>(tokens, smallest_, kLargestChunk));
}

void PrefillBudget::record_decode(int decoding, double ms) {
  if (ms <= 0 || decoding <= 0) return;
  learn(decode_ms_[std::min(static_cast<std::size_t>(decoding), kMostDecoding)], ms);
}

void PrefillBudget::record_prompt(int tokens, double ms) {
  if (ms <= 0 || tokens <= 0) return;
  learn(prompt_token_ms_, ms / tokens);
  // Not by the average: the last few tokens of a prompt cost more each, and would shrink the next
  // prompt's chunks where there is no need.
  if (ms <= kLongestChunkMs && tokens < alone_) return;
  alone_ =
      static_cast<int>(std::clamp<double>(tokens * kLongestChunkMs / ms, smallest_, kLargestChunk));
}

// With no step of exactly that many sequences yet: the nearest known one, fewer first.
double PrefillBudget::decode_ms(int decoding) const {
  const auto wanted = std::min(static_cast<std::size_t>(decoding), kMostDecoding);
  for (std::size_t n = wanted; n > 0; --n) {
    if (decode_ms_[n] > 0) return decode_ms_[n];
  }
  for (std::size_t n = wanted + 1; n <= kMostDecoding; ++n) {
    if (decode_ms_[n] > 0) return decode_ms_[n];
  }
  return 0;
}

double StepShapes::relative(int tokens, double ms) {
  const auto count = static_cast<unsigned>(std::max(1, tokens));
  const std::size_t bucket =
      count <= 16 ? count - 1
                  : std::min<std::size_t>(usual_.size() - 1, 12 + std::bit_width(count));
  const double per_token = ms / count;
  double& usual = usual_[bucket];
  if (usual == 0) usual = per_token;
  const double result = per_token / usual;
  usual += 0.02 * (per_token - usual);
  return result;
}

}  // namespace tars::llm
