#include "llm/llama/sampler.h"

#include <gtest/gtest.h>

#include <map>

namespace tars::llm {
namespace {

Sampling with(float temperature, int top_k, float top_p, std::uint32_t seed = 1) {
  Sampling s;
  s.temperature = temperature;
  s.top_k = top_k;
  s.top_p = top_p;
  s.seed = seed;
  return s;
}

std::vector<float> noise(std::size_t n) {
  std::mt19937 random(3);
  std::vector<float> logits(n);
  for (float& l : logits) l = static_cast<float>(random() % 10000) / 1000.0F;
  return logits;
}

TEST(Sampler, GreedyTakesTheFirstBest) {
  std::vector<float> logits = noise(1003);
  for (const std::size_t at : {0U, 5U, 517U, 1002U}) {
    auto peaked = logits;
    peaked[at] = 50;
    peaked[1002] = 50;
    EXPECT_EQ(Sampler(with(0, 40, 0.9F)).sample(peaked), static_cast<TokenId>(at));
  }
  EXPECT_EQ(Sampler(with(0, 40, 0.9F)).sample(std::vector<float>{1.0F}), 0);
}

TEST(Sampler, DrawsByProbability) {
  const std::vector<float> logits{std::log(0.6F), std::log(0.3F), std::log(0.1F)};
  Sampler sampler(with(1, 0, 1));
  std::map<TokenId, int> counts;
  for (int i = 0; i < 10000; ++i) ++counts[sampler.sample(logits)];
  EXPECT_NEAR(counts[0], 6000, 250);
  EXPECT_NEAR(counts[1], 3000, 250);
  EXPECT_NEAR(counts[2], 1000, 150);
}

TEST(Sampler, TopKKeepsTheBest) {
  const auto logits = noise(5000);
  auto sorted = logits;
  std::sort(sorted.rbegin(), sorted.rend());
  Sampler sampler(with(5, 10, 1));
  for (int i = 0; i < 500; ++i) {
    EXPECT_GE(logits[static_cast<std::size_t>(sampler.sample(logits))], sorted[9]);
  }
}

TEST(Sampler, TopPKeepsTheSmallestSet) {
  const std::vector<float> logits{std::log(0.6F), std::log(0.3F), std::log(0.1F)};
  Sampler sampler(with(1, 0, 0.85F));
  for (int i = 0; i < 500; ++i) EXPECT_LE(sampler.sample(logits), 1);
  Sampler narrow(with(1, 0, 0));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(narrow.sample(logits), 0);
}

TEST(Sampler, TheSameSeedDrawsTheSame) {
  const auto logits = noise(2000);
  Sampler a(with(1, 40, 0.9F, 7));
  Sampler b(with(1, 40, 0.9F, 7));
  Sampler c(with(1, 40, 0.9F, 8));
  int differ = 0;
  for (int i = 0; i < 100; ++i) {
    const TokenId token = a.sample(logits);
    EXPECT_EQ(token, b.sample(logits));
    differ += token != c.sample(logits) ? 1 : 0;
  }
  EXPECT_GT(differ, 0);
}

TEST(Sampler, SurvivesLogitsThatAreAllMinusInfinity) {
  const std::vector<float> logits(100, -INFINITY);
  EXPECT_GE(Sampler(with(1, 40, 0.9F)).sample(logits), 0);
}

}  // namespace
}  // namespace tars::llm
