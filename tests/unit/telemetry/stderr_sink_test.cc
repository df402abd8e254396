#include "telemetry/stderr_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>

#include "base/descriptor.h"

namespace tars::telemetry {
namespace {

class StderrSinkTest : public testing::Test {
 protected:
  StderrSinkTest() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reader_ = Descriptor(ends[0]);
    writer_ = Descriptor(ends[1]);
    EXPECT_GT(::fcntl(writer_.get(), F_SETPIPE_SZ, kPipe), 0);
    logger_ = std::make_unique<spdlog::logger>(
        "test", std::make_shared<StderrSink>(writer_.get(), [](std::uint64_t lines) {
          return "lost " + std::to_string(lines) + "\n";
        }));
    logger_->set_pattern("%v");
  }
  // All that is in the pipe.
  std::string taken() {
    EXPECT_EQ(::fcntl(reader_.get(), F_SETFL, O_NONBLOCK), 0);
    std::string text;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(reader_.get(), buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
  }

  static constexpr int kPipe = 16 * 1024;
  Descriptor reader_;
  Descriptor writer_;
  std::unique_ptr<spdlog::logger> logger_;
};

TEST_F(StderrSinkTest, WritesLines) {
  logger_->info("one");
  logger_->info(std::string(10'000, 'x'));
  EXPECT_EQ(taken(), "one\n" + std::string(10'000, 'x') + "\n");
}

TEST_F(StderrSinkTest, AReaderThatStopsLosesLinesAndHearsOfIt) {
  const std::string line(99, 'x');
  constexpr int kLines = 1000;  // far more than the pipe holds: a sink that waits never returns
  for (int i = 0; i < kLines; ++i) logger_->info(line);
  const std::string before = taken();
  EXPECT_EQ(before.size() % 100, 0U);
  EXPECT_GE(before.size(), 4096U);
  logger_->info("after");
  const auto lost = kLines - static_cast<int>(before.size() / 100);
  EXPECT_EQ(taken(), "lost " + std::to_string(lost) + "\nafter\n");
}

TEST_F(StderrSinkTest, ALineCutInTheMiddleIsEnded) {
  logger_->info(std::string(100'000, 'y'));
  const std::string part = taken();
  EXPECT_LT(part.size(), 100'000U);
  EXPECT_THAT(part, testing::Not(testing::HasSubstr("\n")));
  logger_->info("next");
  EXPECT_EQ(taken(), "\nlost 1\nnext\n");
}

TEST_F(StderrSinkTest, AReaderThatIsGoneIsNoFault) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  reader_ = Descriptor();
  logger_->info("nobody");
  logger_->info("nobody");
  std::signal(SIGPIPE, before);
}

}  // namespace
}  // namespace tars::telemetry
