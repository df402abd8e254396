#include "base/clock_watch.h"

#include <gtest/gtest.h>

namespace tars {
namespace {

using namespace std::chrono_literals;

class ClockWatchTest : public ::testing::Test {
 protected:
  bool settled() { return watch_.has_settled(clock_.wall, clock_.steady); }

  struct {
    WallTime wall{1'790'000'000s};
    SteadyTime steady{1h};
    void advance(std::chrono::seconds by) {
      wall += by;
      steady += by;
    }
    void set_ahead(std::chrono::seconds by) { wall += by; }
    void set_back(std::chrono::seconds by) { wall -= by; }
  } clock_;
  ClockWatch watch_{clock_.wall, clock_.steady};
};

TEST_F(ClockWatchTest, SettlesOnceBothHaveMovedTogetherForAWhile) {
  EXPECT_FALSE(settled());
  clock_.advance(ClockWatch::kSettled - 1s);
  EXPECT_FALSE(settled());
  clock_.advance(1s);
  EXPECT_TRUE(settled());
  clock_.advance(1000h);
  EXPECT_TRUE(settled());
}

TEST_F(ClockWatchTest, AJumpEitherWayBeginsTheWaitAnew) {
  clock_.advance(1h);
  EXPECT_TRUE(settled());
  clock_.set_ahead(24h * 30);
  EXPECT_FALSE(settled());
  clock_.advance(2s);
  clock_.set_back(24h * 30);
  EXPECT_FALSE(settled());
  clock_.advance(ClockWatch::kSettled);
  EXPECT_TRUE(settled());
}

TEST_F(ClockWatchTest, SmallStepsAreNoJumpUntilTheyAddUp) {
  clock_.advance(1h);
  clock_.set_ahead(30s);
  EXPECT_TRUE(settled());
  clock_.set_back(60s);
  EXPECT_TRUE(settled());
  clock_.set_back(31s);
  EXPECT_FALSE(settled());
}

}  // namespace
}  // namespace tars
