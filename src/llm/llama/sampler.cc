#include "llm/llama/sampler.h"

#include <algorithm>
#include <cmath>

namespace tars::llm {
namespace {

// With no top-k, the tail beyond this many candidates is left out: its share of the probability is
// negligible for any real distribution, and sorting the whole vocabulary costs more than a decode
// step.
constexpr std::size_t kMaxCandidates = 1024;

// The maximum first, by a loop that the compiler turns into vector instructions; then where it is.
TokenId argmax(std::span<const float> logits) {
  float lanes[16];
  std::fill(std::begin(lanes), std::end(lanes), -INFINITY);
  std::size_t i = 0;
  for (; i + 16 <= logits.size(); i += 16) {
    for (std::size_t lane = 0; lane < 16; ++lane) {
      lanes[lane] = lanes[lane] < logits[i + lane] ? logits[i + lane] : lanes[lane];
    }
  }
  float best = *std::max_element(std::begin(lanes), std::end(lanes));
  for (; i < logits.size(); ++i) best = std::max(best, logits[i]);
  return static_cast<TokenId>(std::find(logits.begin(), logits.end(), best) - logits.begin());
}

bool better(const std::pair<float, TokenId>& a, const std::pair<float, TokenId>& b) {
  return a.first != b.first ? a.first > b.first : a.second < b.second;
}

}  // namespace

Sampler::Sampler(const Sampling& sampling)
    : temperature_(sampling.temperature),
      top_p_(sampling.top_p),
      top_k_(sampling.top_k > 0
                 ? std::min<std::size_t>(static_cast<std::size_t>(sampling.top_k), kMaxCandidates)
                 : kMaxCandidates),
      random_(sampling.seed ? *sampling.seed : std::random_device{}()) {}

TokenId Sampler::sample(std::span<const float> logits) {
  if (temperature_ <= 0 || top_k_ == 1) return argmax(logits);
  select(logits);
  const float best = candidates_.front().first;
  double total = 0;
  for (Candidate& c : candidates_) {
    c.first = std::exp((c.first - best) / temperature_);
    total += static_cast<double>(c.first);
  }
  // The smallest set whose probability reaches top_p.
  double mass = 0;
  std::size_t n = 0;
  const double wanted = total * static_cast<double>(std::clamp(top_p_, 0.0F, 1.0F));
  while (n < candidates_.size()) {
    mass += static_cast<double>(candidates_[n++].first);
    if (mass >= wanted) break;
  }
  // 53 random bits: the standard's distributions may differ between library versions.
  double draw = static_cast<double>(random_() >> 11U) * 0x1.0p-53 * mass;
  for (std::size_t i = 0; i < n; ++i) {
    draw -= static_cast<double>(candidates_[i].first);
    if (draw < 0) return candidates_[i].second;
  }
  return candidates_[n - 1].second;
}

// The top_k_ best, best first. One pass keeps what beats the worst of the best so far; the buffer
// is cut back whenever it is twice as long as it must be, so few values are ever moved.
void Sampler::select(std::span<const float> logits) {
  candidates_.clear();
  float floor = -INFINITY;
  const auto cut = [this, &floor] {
    const auto middle = candidates_.begin() + static_cast<std::ptrdiff_t>(top_k_);
    std::nth_element(candidates_.begin(), middle - 1, candidates_.end(), better);
    candidates_.erase(middle, candidates_.end());
    floor = candidates_.back().first;
  };
  const std::size_t limit = 2 * top_k_ + 64;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] > floor) {
      candidates_.emplace_back(logits[i], static_cast<TokenId>(i));
      if (candidates_.size() >= limit) cut();
    }
  }
  if (candidates_.empty()) candidates_.emplace_back(0.0F, argmax(logits));
  if (candidates_.size() > top_k_) cut();
  std::sort(candidates_.begin(), candidates_.end(), better);
}

}  // namespace tars::llm
