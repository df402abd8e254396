#include "llm/llama/prefill_budget.h"

#include <gtest/gtest.h>

namespace tars::llm {
namespace {

TEST(PrefillBudget, TakesLargeChunksWhenNothingDecodes) {
  EXPECT_EQ(PrefillBudget().chunk(0), PrefillBudget::kLargestChunk);
}

TEST(PrefillBudget, AChunkAloneTakesSecondsAtMost) {
  PrefillBudget budget;
  budget.record_prompt(256, 64'000);
  EXPECT_EQ(budget.chunk(0), 20);
  budget.record_prompt(20, 5000);
  EXPECT_EQ(budget.chunk(0), 20);
  budget.record_prompt(1, 900);
  EXPECT_EQ(budget.chunk(0), 20) << "a prompt's last token shows nothing";
  budget.record_prompt(20, 20'000'000);
  EXPECT_EQ(budget.chunk(0), PrefillBudget::kSmallestChunk);
  budget.record_prompt(4, 1);
  EXPECT_EQ(budget.chunk(0), PrefillBudget::kLargestChunk) << "the machine is idle again";
}

TEST(PrefillBudget, StretchesADecodeStepToAboutTwice) {
  PrefillBudget budget;
  for (int i = 0; i < 50; ++i) budget.record_decode(4, 20);
  for (int i = 0; i < 50; ++i) budget.record_prompt(10, 10 * 2);
  EXPECT_NEAR(budget.chunk(4), 12, 1);  // 24 ms on top of 20
}

TEST(PrefillBudget, HasBounds) {
  PrefillBudget slow;
  slow.record_decode(1, 5);
  slow.record_prompt(10, 500);
  EXPECT_EQ(slow.chunk(1), PrefillBudget::kSmallestChunk);
  PrefillBudget fast;
  fast.record_decode(1, 500);
  fast.record_prompt(100, 1);
  EXPECT_EQ(fast.chunk(1), PrefillBudget::kLargestChunk);
  EXPECT_GE(PrefillBudget().chunk(200), PrefillBudget::kSmallestChunk);
}

// A chunk that takes as long as a step however small it is would shrink to the smallest.
TEST(PrefillBudget, OnAGpuAChunkDoesNotShrinkToNothing) {
  PrefillBudget budget(PrefillBudget::kSmallestChunkOnGpu);
  EXPECT_EQ(budget.chunk(1), PrefillBudget::kSmallestChunkOnGpu);
  for (int i = 0; i < 50; ++i) {
    budget.record_decode(1, 2);
    budget.record_prompt(budget.chunk(1), 3);
  }
  EXPECT_EQ(budget.chunk(1), PrefillBudget::kSmallestChunkOnGpu);
}

TEST(PrefillBudget, UsesTheNearestKnownStep) {
  PrefillBudget budget;
  budget.record_decode(4, 20);
  budget.record_prompt(100, 200);
  EXPECT_EQ(budget.chunk(3), budget.chunk(4));
  EXPECT_EQ(budget.chunk(7), budget.chunk(4));
}

TEST(StepShapes, ComparesStepsOfOneShape) {
  StepShapes shapes;
  EXPECT_DOUBLE_EQ(shapes.relative(1, 7), 1);
  EXPECT_DOUBLE_EQ(shapes.relative(200, 400), 1);
  EXPECT_NEAR(shapes.relative(1, 21), 3, 0.1);
  EXPECT_NEAR(shapes.relative(250, 500), 1, 0.1);
  for (int i = 0; i < 1000; ++i) shapes.relative(1, 21);
  EXPECT_NEAR(shapes.relative(1, 21), 1, 0.05);  // what is usual changes with the machine
}

}  // namespace
}  // namespace tars::llm
