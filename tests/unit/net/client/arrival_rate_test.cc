#include "net/client/arrival_rate.h"

#include <gtest/gtest.h>

namespace tars::net {
namespace {

using namespace std::chrono_literals;

class ArrivalRateTest : public ::testing::Test {
 protected:
  // So many in each of some windows; what is said of the last.
  bool after(int count, int windows = 3) {
    bool often = false;
    for (int i = 0; i < windows; ++i) often = rate.add(count, now += 100ms);
    return often;
  }
  ArrivalRate rate{1000};
  SteadyTime now{SteadyTime() + 24h};
};

TEST_F(ArrivalRateTest, IsNotOftenAtFirst) {
  EXPECT_FALSE(rate.add(1'000'000, now)) << "the time since the clock began is no quiet window";
}

TEST_F(ArrivalRateTest, GoesByTheLastWholeWindow) {
  EXPECT_FALSE(after(99));
  EXPECT_TRUE(after(100));
  EXPECT_TRUE(rate.add(0, now + 99ms));
  EXPECT_FALSE(rate.add(0, now + 100ms));
}

TEST_F(ArrivalRateTest, WhatComesInPiecesOfAWindowCounts) {
  after(0, 1);
  bool often = false;
  for (int i = 0; i < 100; ++i) often = rate.add(1, now += 1ms);
  EXPECT_TRUE(often);
}

TEST_F(ArrivalRateTest, DoesNotGoToAndFroInBetween) {
  EXPECT_FALSE(after(80));
  EXPECT_TRUE(after(120));
  EXPECT_TRUE(after(80));
  EXPECT_FALSE(after(60));
}

TEST_F(ArrivalRateTest, ALongSilenceIsNotOften) {
  EXPECT_TRUE(after(200));
  EXPECT_FALSE(rate.add(0, now + 10s));
}

TEST_F(ArrivalRateTest, NoneIsOftenIfThatIsAsked) {
  rate = ArrivalRate(0);
  EXPECT_TRUE(after(1));
}

}  // namespace
}  // namespace tars::net
