// How much of a waiting prompt one step may take along.
#pragma once

#include <array>
#include <cstddef>

namespace tars::llm {

// Learns from measured batches what a token for every running answer and what a prompt token cost,
// so that answers wait about twice as long for their next token while a long prompt is processed.
// With no answer running a chunk takes some seconds at most, once it is known what takes that long.
// Pure. For one thread.
class PrefillBudget {
 public:
  static constexpr int kLargestChunk = 256;  // tokens; also the bound with nothing else running
  static constexpr int kSmallestChunk = 4;  // the prompt must get on
  // On a GPU a batch below some hundred tokens costs what reading the weights costs, however small
  // it is: less than this saves nothing, and would be learned as slow.
  static constexpr int kSmallestChunkOnGpu = 64;

  explicit PrefillBudget(int smallest = kSmallestChunk) : smallest_(smallest) {}

  // Prompt tokens for a step that also computes a token for `decoding` answers.
  int chunk(int decoding) const;

  // One token for each of `decoding` answers took `ms`.
  void record_decode(int decoding, double ms);
  // `tokens` of prompts took `ms`.
  void record_prompt(int tokens, double ms);

 private:
  static constexpr std::size_t kMostDecoding = 64;
  double decode_ms(int decoding) const;

  int smallest_;
  std::array<double, kMostDecoding + 1> decode_ms_{};  // moving average by answers; 0 = not known
  double prompt_token_ms_ = 0;
  int alone_ = kLargestChunk;  // tokens with nothing else running
};

// Remembers how long steps of a shape take, so that steps of different shapes can be compared.
// Pure. For one thread.
class StepShapes {
 public:
  // `ms` relative to earlier steps with about as many tokens: 1 = as usual. Then learns from it.
  double relative(int tokens, double ms);

 private:
  std::array<double, 32> usual_{};  // per token; 0 = not known
};

}  // namespace tars::llm
