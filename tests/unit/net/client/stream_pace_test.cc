#include "net/client/stream_pace.h"

#include <gtest/gtest.h>

#include <vector>

namespace tars::net {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// Pieces that each read brings, of `count` that come `gap` apart.
std::vector<int> reads_of(StreamPace& pace, SteadyTime& now, milliseconds gap, int count) {
  std::vector<int> reads{0};
  bool waits = false;
  for (int i = 0; i < count; ++i) {
    now += gap;
    if (waits && pace.due() < now) {
      pace.waited_in_vain();
      pace.taken();
      reads.push_back(0);
    }
    ++reads.back();
    waits = pace.waits(now);
    if (waits) continue;
    pace.taken();
    reads.push_back(0);
  }
  return reads;
}

class StreamPaceTest : public ::testing::Test {
 protected:
  std::vector<int> reads(milliseconds gap, int count) { return reads_of(pace, now, gap, count); }
  // The reads of a stream whose pace is known.
  std::vector<int> later_reads(milliseconds gap, int count) {
    reads(gap, 40);
    pace.taken();
    return reads(gap, count);
  }
  StreamPace pace;
  SteadyTime now{SteadyTime() + 24h};
};

TEST_F(StreamPaceTest, TheFirstPieceDoesNotWait) { EXPECT_FALSE(pace.waits(now)); }

TEST_F(StreamPaceTest, FiftyASecondComeInPairs) {
  EXPECT_EQ(later_reads(20ms, 6), (std::vector{2, 2, 2, 0}));
}

TEST_F(StreamPaceTest, AHundredASecondComeInThreesOrFours) {
  EXPECT_EQ(later_reads(9ms, 8), (std::vector{4, 4, 0}));
  EXPECT_EQ(later_reads(11ms, 6), (std::vector{3, 3, 0}));
}

TEST_F(StreamPaceTest, FewerThanThirtyThreeASecondNeverWait) {
  EXPECT_EQ(later_reads(31ms, 3), (std::vector{1, 1, 1, 0}));
  EXPECT_EQ(later_reads(50ms, 3), (std::vector{1, 1, 1, 0}));
  EXPECT_EQ(later_reads(10s, 3), (std::vector{1, 1, 1, 0}));
}

TEST_F(StreamPaceTest, NoMoreThanEightAtOnceHoweverFast) {
  EXPECT_EQ(later_reads(0ms, 16), (std::vector{8, 8, 0}));
}

TEST_F(StreamPaceTest, IsDueThirtyMillisecondsAfterTheFirstThatWaits) {
  reads(9ms, 40);
  pace.taken();
  const SteadyTime first = now += 9ms;
  ASSERT_TRUE(pace.waits(now));
  EXPECT_EQ(pace.due(), first + 30ms);
  ASSERT_TRUE(pace.waits(now += 9ms));
  EXPECT_EQ(pace.due(), first + 30ms);
}

TEST_F(StreamPaceTest, BurstsAreNotWorthAWait) {
  for (int burst = 0; burst < 10; ++burst) {
    now += 120ms;
    EXPECT_EQ(reads(1ms, 5), (std::vector{1, 1, 1, 1, 1, 0})) << burst;
  }
}

TEST_F(StreamPaceTest, AWaitInVainIsNotSoonFollowedByAnother) {
  reads(20ms, 40);
  pace.taken();
  ASSERT_TRUE(pace.waits(now += 20ms));
  pace.waited_in_vain();
  pace.taken();
  EXPECT_EQ(reads(20ms, 7), (std::vector{1, 1, 1, 1, 1, 1, 1, 0}));
}

TEST_F(StreamPaceTest, AStreamThatBecomesSlowWaitsNoMoreAndAFastOneAgain) {
  reads(20ms, 40);
  const std::vector<int> slow = reads(50ms, 20);
  EXPECT_EQ(std::vector(slow.end() - 4, slow.end()), (std::vector{1, 1, 1, 0}));
  now += 1h;
  const std::vector<int> fast = reads(20ms, 21);
  EXPECT_EQ(std::vector(fast.end() - 4, fast.end() - 1), (std::vector{2, 2, 2}));
}

}  // namespace
}  // namespace tars::net
