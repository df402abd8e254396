#include "app/models/progress_bar.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "base/descriptor.h"

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

TEST(ProgressLine, LosesWhatDoesNotFit) {
  const Progress half{50 * kMega, 100 * kMega};
  const std::string whole = progress_line(half, 2.5e6);
  EXPECT_EQ(progress_line(half, 2.5e6, whole.size()), whole);
  EXPECT_EQ(progress_line(half, 2.5e6, whole.size() - 1),
            " 50 %  50 of 100 MB  2.5 MB/s  20 s left");
  EXPECT_EQ(progress_line(half, 2.5e6, 12), " 50 %  50 of");
  EXPECT_EQ(progress_line(half, 2.5e6, 0), "");
}

TEST(ProgressLine, ADumbTerminalIsNotDrawnOver) {
  const Descriptor terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(terminal.is_open());
  const winsize narrow{.ws_row = 24, .ws_col = 40, .ws_xpixel = 0, .ws_ypixel = 0};
  ASSERT_EQ(::ioctl(terminal.get(), TIOCSWINSZ, &narrow), 0);
  EXPECT_EQ(terminal_columns(terminal.get()), 40U);
  const char* set = std::getenv("TERM");
  const std::string before = set != nullptr ? set : "";
  ::setenv("TERM", "xterm", 1);
  EXPECT_TRUE(can_redraw(terminal.get()));
  const Descriptor file(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_FALSE(can_redraw(file.get()));
  EXPECT_EQ(terminal_columns(file.get()), 80U);
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(can_redraw(terminal.get()));
  ::setenv("TERM", before.c_str(), 1);
}

class ProgressBarTest : public testing::Test {
 protected:
  ProgressBar bar(bool terminal) {
    ProgressBar::Columns columns;
    if (terminal) columns = [this] { return columns_; };
    return ProgressBar(out_, columns, [this] { return now_; });
  }
  std::size_t columns_ = 80;
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

TEST_F(ProgressBarTest, ANarrowTerminalIsAskedAtEachDraw) {
  ProgressBar shown = bar(true);
  const Progress half{50 * kMega, 100 * kMega};
  shown.show(half);
  EXPECT_THAT(out_.str(), HasSubstr("[####"));
  out_.str("");
  columns_ = 21;
  now_ += 1s;
  shown.show(half);
  EXPECT_EQ(out_.str(), "\r\033[K 50 %  50 of 100 MB");
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
