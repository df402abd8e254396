#include "telemetry/stderr_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "../../support/temp_folder.h"
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
    open_log();
  }
  void open_log() {
    logger_ = std::make_unique<spdlog::logger>(
        "test", std::make_shared<StderrSink>(
                    writer_.get(),
                    [](std::uint64_t lines) { return "lost " + std::to_string(lines) + "\n"; },
                    [this] { ++lost_; }));
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
  std::size_t lost_ = 0;
  std::unique_ptr<spdlog::logger> logger_;
};

TEST(IsFileBeside, TellsAlsoForAFileThatIsNotThereYet) {
  const TempFolder folder;
  const Descriptor file(
      ::open((folder.path() / "err").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_TRUE(is_file_beside(file.get(), folder.path() / "err"));
  EXPECT_TRUE(is_file_beside(file.get(), folder.path() / "tars.log"));
  EXPECT_FALSE(is_file_beside(file.get(), "/proc/self/status"));
  EXPECT_FALSE(is_file_beside(file.get(), "/proc/none"));
  EXPECT_FALSE(is_file_beside(file.get(), folder.path() / "none/tars.log"));
  const Descriptor device(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_FALSE(is_file_beside(device.get(), "/dev/null")) << "only files wait for a disk";
}

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
  EXPECT_EQ(lost_, kLines - before.size() / 100);
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

// For a terminal, room means room for a byte.
TEST_F(StderrSinkTest, ATerminalThatStopsHoldsNobodyUp) {
  reader_ = Descriptor(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(reader_.is_open());
  ASSERT_EQ(::grantpt(reader_.get()), 0);
  ASSERT_EQ(::unlockpt(reader_.get()), 0);
  writer_ = Descriptor(::open(::ptsname(reader_.get()), O_WRONLY | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(writer_.is_open());
  open_log();
  for (int i = 0; i < 1000; ++i) logger_->info(std::string(99, 'x'));
  EXPECT_THAT(taken(), testing::StartsWith("xxx"));
  logger_->info("after");
  EXPECT_THAT(taken(), testing::HasSubstr("lost "));
}

TEST_F(StderrSinkTest, ASocketWhoseReaderStopsHoldsNobodyUp) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  reader_ = Descriptor(ends[0]);
  writer_ = Descriptor(ends[1]);
  open_log();
  for (int i = 0; i < 10'000; ++i) logger_->info(std::string(99, 'x'));
  EXPECT_THAT(taken(), testing::StartsWith("xxx"));
  logger_->info("after");
  EXPECT_THAT(taken(), testing::AllOf(testing::HasSubstr("lost "), testing::EndsWith("after\n")));
}

TEST_F(StderrSinkTest, AFileKeepsItsPlace) {
  const TempFolder folder;
  const auto path = folder.path() / "log";
  writer_ = Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(writer_.get(), "before\n", 7), 7);
  open_log();
  logger_->info("line");
  ASSERT_EQ(::write(writer_.get(), "behind\n", 7), 7);
  std::ifstream in(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "before\nline\nbehind\n");
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
