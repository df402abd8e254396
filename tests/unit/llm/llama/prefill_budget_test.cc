#include "llm/llama/prefill_budget.h"

#include <gtest/gtest.h>

namespace tars::llm {
namespace {

TEST(PrefillBudget, TakesLargeChunksWhenNothingDecodes) {
  EXPECT_EQ(PrefillBudget().chunk(0), PrefillBudget::kLargestChunk);
}

TEST(PrefillBudget, StretchesADecodeStepToAboutTwice) {
  PrefillBudget budget;
  for (int i = 0; i < 50; ++i) budget.record(4, 0, 20);
  for (int i = 0; i < 50; ++i) budget.record(4, 10, 20 + 10 * 2);  // 2 ms a prompt token
  EXPECT_NEAR(budget.chunk(4), 12, 1);                             // 24 ms on top of 20
}

TEST(PrefillBudget, HasBounds) {
  PrefillBudget slow;
  slow.record(1, 0, 5);
  slow.record(1, 10, 500);
  EXPECT_EQ(slow.chunk(1), PrefillBudget::kSmallestChunk);
  PrefillBudget fast;
  fast.record(1, 0, 500);
  fast.record(1, 100, 501);
  EXPECT_EQ(fast.chunk(1), PrefillBudget::kLargestChunk);
  EXPECT_GE(PrefillBudget().chunk(200), PrefillBudget::kSmallestChunk);
}

TEST(PrefillBudget, UsesTheNearestKnownStep) {
  PrefillBudget budget;
  budget.record(4, 0, 20);
  budget.record(0, 100, 200);
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
