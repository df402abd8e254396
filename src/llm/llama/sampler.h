// From a row of logits to a token.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "llm/backend.h"
#include "llm/prompt_fit.h"

namespace tars::llm {

// Greedy at temperature 0, else top-k, temperature, top-p (nucleus sampling, Holtzman et al. 2020)
// and a draw. The same seed and the same logits give the same tokens. Owns its generator and
// scratch space of a few hundred candidates. For one thread.
class Sampler {
 public:
  explicit Sampler(const Sampling& sampling);
  // `logits` has one value per token of the vocabulary, at least one.
  TokenId sample(std::span<const float> logits);

 private:
  using Candidate = std::pair<float, TokenId>;
  void select(std::span<const float> logits);

  float temperature_;
  float top_p_;
  std::size_t top_k_;
  std::mt19937_64 random_;
  std::vector<Candidate> candidates_;
};

}  // namespace tars::llm
