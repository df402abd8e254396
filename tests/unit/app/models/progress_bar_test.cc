#include "app/models/progress_bar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace tars::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::uint64_t kMega = 1'000'000;

TEST(ProgressLine, ShowsPartSpeedAndTimeLeft) {
  EXPECT_EQ(progress_line({50 * kMega, 100 * kMega}, 2.5e6),
            "[###############               ]  50 %  50 of 100 MB  2.5 MB/s  20 s left");
  EXPECT_EQ(progress_line({0, 100 * kMega}, 0),
            "[                              ]   0 %  0 of 100 MB");
  EXPECT_EQ(progress_line({7 * kMega, std::nullopt}, 1e6), "7 MB  1.0 MB/s");
  EXPECT_THAT(progress_line({0, 0}, 1), HasSubstr("0 of 0 MB"));
}

class ProgressBarTest : public testing::Test {
 protected:
  ProgressBar bar(bool terminal) {
    return ProgressBar(out_, terminal, [this] { return now_; });
  }
  std::chrono::steady_clock::time_point now_{1h};
  std::ostringstream out_;
};

TEST_F(ProgressBarTest, ATerminalIsRedrawnTenTimesASecond) {
  ProgressBar shown = bar(true);
  for (int i = 0; i < 100; ++i) {
    shown.show({static_cast<std::uint64_t>(i) * kMega, 100 * kMega});
    now_ += 10ms;
  }
  shown.show({100 * kMega, 100 * kMega});
  shown.finish();
  const std::string text = out_.str();
  EXPECT_EQ(std::ranges::count(text, '\r'), 11);
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  EXPECT_THAT(text, HasSubstr("100 %"));
}

TEST_F(ProgressBarTest, ElsewhereItIsALineForEveryTenth) {
  ProgressBar shown = bar(false);
  for (int i = 0; i <= 100; ++i) {
    shown.show({static_cast<std::uint64_t>(i) * kMega, 100 * kMega});
    now_ += 1s;
  }
  shown.finish();
  const std::string text = out_.str();
  EXPECT_EQ(std::ranges::count(text, '\n'), 11);
  EXPECT_THAT(text, HasSubstr("1.0 MB/s"));
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

TEST_F(ProgressBarTest, SpeedCountsWhatThisCallFetched) {
  ProgressBar shown = bar(true);
  shown.show({90 * kMega, 100 * kMega});
  now_ += 1s;
  shown.show({92 * kMega, 100 * kMega});
  EXPECT_THAT(out_.str(), HasSubstr("2.0 MB/s  4 s left"));
}

TEST_F(ProgressBarTest, BeginningAnewIsNoFault) {
  ProgressBar shown = bar(false);
  shown.show({50 * kMega, 100 * kMega});
  now_ += 1s;
  shown.show({0, 100 * kMega});
  EXPECT_THAT(out_.str(), HasSubstr(" 0 %"));
}

}  // namespace
}  // namespace tars::app
