#include "auth/dead_tokens.h"

#include <gtest/gtest.h>

#include <thread>

namespace tars::auth {
namespace {

TEST(DeadTokens, KnowsFamiliesAndTokens) {
  DeadTokens dead;
  dead.add_family("fam_1", 100);
  dead.add_token("tok_1", 100);
  EXPECT_TRUE(dead.contains("fam_1", "tok_9"));
  EXPECT_TRUE(dead.contains("fam_9", "tok_1"));
  EXPECT_FALSE(dead.contains("tok_1", "fam_1")) << "a family's id is no token's";
}

TEST(DeadTokens, ForgetsOnlyBehindItsMark) {
  DeadTokens dead;
  dead.add_token("early", 99);
  dead.add_token("late", 100);
  dead.add_family("early", 99);
  dead.add_family("early", 150);  // the later time counts
  dead.prune(100);
  EXPECT_EQ(dead.pruned_until(), 100);
  EXPECT_FALSE(dead.contains("x", "early"));
  EXPECT_TRUE(dead.contains("x", "late"));
  EXPECT_TRUE(dead.contains("early", "x"));
  EXPECT_EQ(dead.size(), 2U);
  dead.prune(50);
  EXPECT_EQ(dead.pruned_until(), 100) << "the mark never goes back";
}

TEST(DeadTokens, MayBeReadWhileItIsWritten) {
  DeadTokens dead;
  std::thread writer([&] {
    for (int i = 0; i < 2000; ++i) dead.add_token("tok_" + std::to_string(i), i);
  });
  for (int i = 0; i < 2000; ++i) {
    static_cast<void>(dead.contains("fam", "tok_" + std::to_string(i)));
    if (i % 100 == 0) dead.prune(i / 2);
  }
  writer.join();
  EXPECT_TRUE(dead.contains("fam", "tok_1999"));
}

}  // namespace
}  // namespace tars::auth
