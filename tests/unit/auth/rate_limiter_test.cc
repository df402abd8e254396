#include "auth/rate_limiter.h"

#include <gtest/gtest.h>

#include "auth_fixture.h"

namespace tars::auth {
namespace {

using namespace std::chrono_literals;

TEST(RateLimiter, RefusesBeyondTheBurstAndSaysWhen) {
  ManualClock clock;
  RateLimiter limiter(6, 3, 100, clock);  // one each 10 s
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limiter.take("a"));
  const auto refused = limiter.take("a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(refused.error().retry_after, 10s);
  EXPECT_TRUE(limiter.take("b"));
  clock.advance(9s);
  EXPECT_EQ(limiter.take("a").error().retry_after, 1s);
  clock.advance(1s);
  EXPECT_TRUE(limiter.take("a"));
  EXPECT_FALSE(limiter.take("a"));
}

TEST(RateLimiter, NeverSavesMoreThanTheBurst) {
  ManualClock clock;
  RateLimiter limiter(60, 2, 100, clock);
  EXPECT_TRUE(limiter.take("a"));
  clock.advance(1h);
  EXPECT_TRUE(limiter.take("a"));
  EXPECT_TRUE(limiter.take("a"));
  EXPECT_FALSE(limiter.take("a"));
}

TEST(RateLimiter, ZeroIsNoLimit) {
  ManualClock clock;
  RateLimiter limiter(0, 1, 1, clock);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limiter.take("a"));
}

TEST(RateLimiter, ForgetsFullBucketsFirstThenTheOldest) {
  ManualClock clock;
  RateLimiter limiter(60, 2, 3, clock);
  EXPECT_TRUE(limiter.take("full"));
  clock.advance(10s);  // full again
  for (const char* key : {"old", "new"}) {
    EXPECT_TRUE(limiter.take(key));
    EXPECT_TRUE(limiter.take(key));
  }
  EXPECT_TRUE(limiter.take("third"));  // "full" goes
  EXPECT_FALSE(limiter.take("old"));
  EXPECT_FALSE(limiter.take("new"));
}

TEST(RateLimiter, ManyAddressesDoNotGrowItAndStayLimited) {
  ManualClock clock;
  RateLimiter limiter(60, 1, 64, clock);
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(limiter.take(std::to_string(i)));
  EXPECT_FALSE(limiter.take("9999"));
}

}  // namespace
}  // namespace tars::auth
