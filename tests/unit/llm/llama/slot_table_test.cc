#include "llm/llama/slot_table.h"

#include <gtest/gtest.h>

namespace tars::llm {
namespace {

void fill(SlotTable& table, const std::vector<TokenId>& tokens, const std::string& key) {
  const auto choice = table.take(tokens, key);
  ASSERT_TRUE(choice);
  table[choice->slot].tokens = tokens;
  table.release(choice->slot);
}

TEST(SlotTable, AFreshTableHasNothingToReuse) {
  SlotTable table(2);
  const auto choice = table.take(std::vector<TokenId>{1, 2, 3}, "a");
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->common, 0U);
}

TEST(SlotTable, TheSameConversationComesBackToItsSlot) {
  SlotTable table(3);
  fill(table, {1, 2, 3, 4}, "a");
  fill(table, {1, 2, 9, 9, 9, 9}, "b");
  const auto choice = table.take(std::vector<TokenId>{1, 2, 3, 4, 5}, "a");
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->common, 4U);
  EXPECT_EQ(table[choice->slot].tokens, (std::vector<TokenId>{1, 2, 3, 4}));
}

TEST(SlotTable, TheLastTokenIsAlwaysLeft) {
  SlotTable table(1);
  fill(table, {1, 2, 3}, "a");
  const auto choice = table.take(std::vector<TokenId>{1, 2, 3}, "a");
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->common, 2U);
}

TEST(SlotTable, AShortSharedPrefixDoesNotCostAnotherItsHistory) {
  SlotTable table(2);
  fill(table, {1, 2, 3, 4, 5, 6, 7, 8}, "a");
  const auto choice = table.take(std::vector<TokenId>{1, 2, 20, 21}, "b");
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->common, 0U);
  table.release(choice->slot);
  const auto again = table.take(std::vector<TokenId>{1, 2, 3, 4, 5, 6, 7, 8, 9}, "a");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->common, 8U);
}

TEST(SlotTable, TheLeastRecentlyUsedGoesFirst) {
  SlotTable table(2);
  fill(table, {1, 1, 1}, "a");
  fill(table, {2, 2, 2}, "b");
  fill(table, {1, 1, 1, 1}, "a");
  fill(table, {3, 3, 3}, "c");  // in place of b
  const auto choice = table.take(std::vector<TokenId>{1, 1, 1, 1, 5}, "a");
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->common, 4U);
}

TEST(SlotTable, BusySlotsAreNotTaken) {
  SlotTable table(1);
  ASSERT_TRUE(table.take(std::vector<TokenId>{1}, ""));
  EXPECT_FALSE(table.take(std::vector<TokenId>{1}, ""));
}

}  // namespace
}  // namespace tars::llm
