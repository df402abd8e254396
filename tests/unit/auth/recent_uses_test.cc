#include "auth/recent_uses.h"

#include <gtest/gtest.h>

namespace tars::auth {
namespace {

using namespace std::chrono_literals;

TEST(RecentUses, IsDueOncePerInterval) {
  RecentUses uses(60s, 100);
  const SteadyTime start{1h};
  EXPECT_TRUE(uses.is_due("a", start));
  EXPECT_FALSE(uses.is_due("a", start + 59s));
  EXPECT_TRUE(uses.is_due("b", start + 59s));
  EXPECT_TRUE(uses.is_due("a", start + 60s));
  EXPECT_FALSE(uses.is_due("a", start + 61s));
}

TEST(RecentUses, NotesNoMoreThanItsCapacity) {
  RecentUses uses(60s, 16);
  const SteadyTime start{1h};
  int due = 0;
  for (int i = 0; i < 1000; ++i) due += uses.is_due(std::to_string(i), start) ? 1 : 0;
  EXPECT_GE(due, 16);
  EXPECT_LE(due, 32);
  // An interval later the old ones make room.
  EXPECT_TRUE(uses.is_due("another", start + 61s));
}

}  // namespace
}  // namespace tars::auth
