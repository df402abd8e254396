#include "llm/llama/fair_slots.h"

#include <gtest/gtest.h>

#include <vector>

namespace tars::llm {
namespace {

using Holders = std::vector<SlotHolder>;
using Waiters = std::vector<SlotWaiter>;

TEST(FairSlots, TheLatestBegunOfTheClientWithTheMostLeaves) {
  const Holders holders{{"a", 4}, {"b", 3}, {"b", 1}, {"b", 2}, {"a", 5}};
  EXPECT_EQ(to_pause_for("c", holders), 1U) << "b holds three: its third";
}

TEST(FairSlots, OfEqualClientsTheLatestBegunOfAllLeaves) {
  const Holders holders{{"a", 1}, {"b", 4}, {"a", 2}, {"b", 3}};
  EXPECT_EQ(to_pause_for("c", holders), 1U);
}

TEST(FairSlots, NobodyLeavesHisOnlySlot) {
  EXPECT_FALSE(to_pause_for("c", Holders{{"a", 1}, {"b", 2}}));
  EXPECT_FALSE(to_pause_for("c", Holders{}));
}

TEST(FairSlots, NobodyLeavesForAClientThatHasOne) {
  EXPECT_FALSE(to_pause_for("b", Holders{{"a", 1}, {"a", 2}, {"b", 3}}));
  EXPECT_FALSE(to_pause_for("a", Holders{{"a", 1}, {"a", 2}}));
}

TEST(FairSlots, WhoWasPausedJustNowIsLeftInPeace) {
  const Holders holders{{"a", 1}, {"a", 3, false}, {"b", 2}, {"b", 4, false}};
  EXPECT_EQ(to_pause_for("c", holders), 2U) << "another of theirs";
  EXPECT_FALSE(to_pause_for("c", Holders{{"a", 1, false}, {"a", 2, false}}));
}

TEST(FairSlots, AFreeSlotGoesToWhoHoldsTheFewest) {
  const Holders holders{{"a", 1}, {"a", 2}, {"b", 3}};
  EXPECT_EQ(next_for_a_slot(Waiters{{"a", true}, {"b", false}, {"c", false}}, holders), 2U);
  EXPECT_EQ(next_for_a_slot(Waiters{{"a", true}, {"b", false}}, holders), 1U);
}

TEST(FairSlots, OfEqualsThePausedGoesOnFirstAndElseTheLongestWaiting) {
  const Holders holders{{"a", 1}, {"b", 2}};
  EXPECT_EQ(next_for_a_slot(Waiters{{"a", false}, {"b", true}, {"a", true}}, holders), 1U);
  EXPECT_EQ(next_for_a_slot(Waiters{{"c", false}, {"d", false}}, holders), 0U);
  EXPECT_FALSE(next_for_a_slot(Waiters{}, holders));
}

}  // namespace
}  // namespace tars::llm
