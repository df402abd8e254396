#include "telemetry/file_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>

#include "../../support/temp_folder.h"
#include "base/descriptor.h"

namespace tars::telemetry {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class FileSinkTest : public testing::Test {
 protected:
  void open_log(const std::filesystem::path& path) {
    auto sink = FileSink::open(
        path,
        [](LogLevel, std::string_view event, const Field& field) {
          const auto* count = std::get_if<std::int64_t>(&field.value);
          return std::string(event) + " " + (count != nullptr ? std::to_string(*count) : "") + "\n";
        },
        [this](std::uint64_t lines, std::string_view cause) {
          const std::lock_guard lock(mutex_);
          lost_ += lines;
          cause_ = cause;
        });
    ASSERT_TRUE(sink);
    sink_ = *sink;
    logger_ = std::make_unique<spdlog::logger>("test", *std::move(sink));
    logger_->set_pattern("%v");
  }
  // The destructor waits for the file.
  void close_log() {
    logger_.reset();
    sink_.reset();
  }
  static std::string content(const std::filesystem::path& path) {
    std::ifstream in(path);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  const TempFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "tars.log";
  std::mutex mutex_;
  std::uint64_t lost_ = 0;
  std::string cause_;
  std::shared_ptr<FileSink> sink_;
  std::unique_ptr<spdlog::logger> logger_;
};

TEST_F(FileSinkTest, AllLinesAreThereWhenItEnds) {
  open_log(path_);
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    logger_->info(std::to_string(i));
    expected += std::to_string(i) + "\n";
  }
  close_log();
  EXPECT_EQ(content(path_), expected);
}

TEST_F(FileSinkTest, OpenedAnewItTakesLaterLinesOnly) {
  open_log(path_);
  for (int i = 0; i < 50; ++i) {
    const auto old = folder_.path() / std::to_string(i);
    logger_->info("before");
    std::filesystem::rename(path_, old);
    sink_->reopen();
    logger_->info("after");
    while (!std::filesystem::exists(path_)) std::this_thread::yield();
    EXPECT_THAT(content(old), EndsWith("before\n"));
  }
  close_log();
  EXPECT_EQ(content(path_), "after\n");
}

TEST_F(FileSinkTest, WhatCannotBeOpenedIsAnError) {
  EXPECT_THAT(FileSink::open("/no/such/folder/x", {}, {}).error().message,
              HasSubstr("No such file"));
}

TEST_F(FileSinkTest, APipeThatNobodyReadsIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(FileSink::open(path_, {}, {}).error().message, HasSubstr("nobody reads it"));
  open_log("/dev/null");
  logger_->info("one");
  close_log();
  EXPECT_EQ(lost_, 0U);
}

TEST_F(FileSinkTest, WaitsForItsLinesAndNoLongerThanAsked) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const Descriptor reader(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  open_log(path_);
  logger_->info("one");
  sink_->wait_until_written(10s);
  char buffer[16];
  EXPECT_EQ(::read(reader.get(), buffer, sizeof buffer), 4);
  logger_->info(std::string(200'000, 'x'));  // more than the pipe takes
  sink_->wait_until_written(1ms);
  std::string rest(300'000, ' ');
  ASSERT_EQ(::fcntl(reader.get(), F_SETFL, 0), 0);
  for (std::size_t got = 0; got < 200'001;) {
    const ssize_t n = ::read(reader.get(), rest.data() + got, rest.size() - got);
    ASSERT_GT(n, 0);
    got += static_cast<std::size_t>(n);
  }
}

// A pipe that nobody reads stands for the disk: a sink that waited for it would never return.
TEST_F(FileSinkTest, ADiskThatHangsStopsNobody) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const Descriptor reader(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  open_log(path_);
  const std::string line(999, 'x');
  constexpr std::size_t kLines = 15'000;  // more than the pipe, the writer and what waits take
  for (std::size_t i = 0; i < kLines; ++i) logger_->info(line);
  EXPECT_EQ(cause_, "its disk does not keep up");  // said while it hangs
  ASSERT_EQ(::fcntl(reader.get(), F_SETFL, 0), 0);
  auto text = std::async(std::launch::async, [&] {
    std::string out;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(reader.get(), buffer, sizeof buffer)) > 0;) {
      out.append(buffer, static_cast<std::size_t>(n));
    }
    return out;
  });
  close_log();
  std::istringstream lines(text.get());
  std::size_t whole = 0;
  std::size_t lost = 0;
  const std::string said = "log lines were lost: the log file did not take them ";
  for (std::string got; std::getline(lines, got);) {
    if (got == line) ++whole;
    if (got.starts_with(said)) lost += std::stoul(got.substr(said.size()));
  }
  EXPECT_GT(lost, 0U);
  EXPECT_EQ(whole + lost, kLines);
  EXPECT_EQ(lost_, lost);
}

// /dev/full is a disk that is full.
TEST_F(FileSinkTest, LinesThatAFullDiskRefusedAreCounted) {
  std::filesystem::create_symlink("/dev/full", path_);
  open_log(path_);
  logger_->info("one");
  logger_->info("two");
  sink_->wait_until_written(10s);
  {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(lost_, 2U);
    EXPECT_EQ(cause_, "No space left on device");
  }
  std::filesystem::remove(path_);
  sink_->reopen();
  logger_->info("three");
  close_log();
  EXPECT_THAT(content(path_),
              StartsWith("log lines were lost: the log file did not take them 2\n"));
  EXPECT_THAT(content(path_), EndsWith("three\n"));
}

}  // namespace
}  // namespace tars::telemetry
