#include "net/io/body_budget.h"

#include <gtest/gtest.h>

#include <optional>

namespace tars::net {
namespace {

TEST(BodyBudget, SharesAreOfOneSumAndGivenBack) {
  BodyBudget budget(100);
  std::optional<BodyBudget::Share> first(std::in_place, budget);
  BodyBudget::Share second(budget);
  EXPECT_TRUE(first->cover(60));
  EXPECT_TRUE(first->cover(10)) << "it only grows";
  EXPECT_TRUE(second.cover(40));
  EXPECT_FALSE(second.cover(41));
  EXPECT_EQ(budget.used(), 100U);
  first.reset();
  EXPECT_TRUE(second.cover(100));
  second.release();
  EXPECT_EQ(budget.used(), 0U);
}

TEST(BodyBudget, FollowsTheLimitOfOneBody) {
  EXPECT_EQ(BodyBudget::limit_for(1024), 64U << 20U);
  EXPECT_EQ(BodyBudget::limit_for(50U << 20U), 200U << 20U);
}

}  // namespace
}  // namespace tars::net
