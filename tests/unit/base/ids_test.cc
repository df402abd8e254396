#include "base/ids.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace tars {
namespace {

TEST(Ids, HaveAPrefixAndTwentySixCharacters) {
  const std::string id = make_id("run");
  ASSERT_EQ(id.size(), 4U + 26U);
  EXPECT_EQ(id.substr(0, 4), "run_");
  EXPECT_EQ(id.substr(4).find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz"), std::string::npos);
}

TEST(Ids, AreKnownByTheirForm) {
  const std::string id = make_id("fam");
  EXPECT_TRUE(is_id(id, "fam"));
  for (const std::string& other : {id + "0", id.substr(0, id.size() - 1), "run" + id.substr(3),
                                   "fam" + id.substr(4), std::string("fam_"), std::string(),
                                   id.substr(0, id.size() - 1) + "A", "fam-" + id.substr(4)}) {
    EXPECT_FALSE(is_id(other, "fam")) << other;
  }
}

TEST(Ids, AreNeverTheSameTwice) {
  std::set<std::string> seen;
  for (int i = 0; i < 10000; ++i) EXPECT_TRUE(seen.insert(make_id("x")).second);
}

TEST(Ids, AreNeverTheSameInTwoThreads) {
  std::array<std::vector<std::string>, 4> made;
  std::vector<std::thread> threads;
  for (auto& mine : made) {
    threads.emplace_back([&mine] {
      for (int i = 0; i < 1000; ++i) mine.push_back(make_id("x"));
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::string> seen;
  for (const auto& ids : made) seen.insert(ids.begin(), ids.end());
  EXPECT_EQ(seen.size(), 4000U);
}

TEST(Ids, SortByTheTimeTheyWereMade) {
  // The first ten characters are the time; they never go back while the wall clock does not.
  std::string before = make_id("x").substr(0, 12);
  for (int i = 0; i < 1000; ++i) {
    const std::string now = make_id("x").substr(0, 12);
    EXPECT_LE(before, now);
    before = now;
  }
}

TEST(Ids, RandomHexHasTheLengthAskedFor) {
  EXPECT_EQ(random_hex(0), "");
  EXPECT_EQ(random_hex(32).size(), 64U);
  EXPECT_EQ(random_hex(32).find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(random_hex(32), random_hex(32));
}

}  // namespace
}  // namespace tars
