#include "app/stop_signals.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "../../support/temp_folder.h"
#include "base/descriptor.h"
#include "telemetry/log.h"

namespace tars::app {
namespace {

TEST(StopSignals, TheFirstSignalIsAnEvent) {
  boost::asio::io_context context;
  std::vector<int> seen;
  StopSignals signals(context, [&](int signal) { seen.push_back(signal); });
  std::raise(SIGTERM);
  // The signal arrives through a pipe, which is an event of its own.
  while (seen.empty() && context.run_one() > 0) {
  }
  EXPECT_EQ(seen, std::vector<int>{SIGTERM});
}

TEST(StopSignals, HangUpsAreEventsAndStopNothing) {
  boost::asio::io_context context;
  std::vector<int> seen;
  StopSignals signals(context, [&](int signal) { seen.push_back(signal); });
  for (const int signal : {SIGHUP, SIGHUP, SIGTERM}) {
    const std::size_t before = seen.size();
    std::raise(signal);
    while (seen.size() == before && context.run_one() > 0) {
    }
  }
  EXPECT_EQ(seen, (std::vector<int>{SIGHUP, SIGHUP, SIGTERM}));
}

// Runs in a child process, as gtest's death tests do.
void two_signals() {
  boost::asio::io_context context;
  StopSignals signals(context, [](int) { std::raise(SIGINT); });
  std::raise(SIGTERM);
  context.run();
}

TEST(StopSignalsDeathTest, TheSecondSignalEndsTheProcess) {
  EXPECT_EXIT(two_signals(), testing::ExitedWithCode(128 + SIGINT), "");
}

constexpr std::size_t kLongLog = 200'000;  // bytes, more than a pipe takes

void two_signals_and_a_long_log(const std::filesystem::path& log_file) {
  boost::asio::io_context context;
  if (!telemetry::open_log_file(log_file)) return;
  StopSignals signals(context, [](int) {
    telemetry::log(telemetry::LogLevel::error, std::string(kLongLog, 'x'));
    telemetry::log(telemetry::LogLevel::error, "the last line");
    std::raise(SIGINT);
  });
  std::raise(SIGTERM);
  context.run();
}

// A pipe that is read a little late stands for a slow disk.
TEST(StopSignals, TheLogFileHasItsLinesWhenTheProcessEnds) {
  const TempFolder folder;
  const std::filesystem::path file = folder.path() / "tars.log";
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  const Descriptor reader(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const pid_t child = ::fork();
  if (child == 0) {
    two_signals_and_a_long_log(file);
    std::_Exit(1);
  }
  ASSERT_GT(child, 0);
  pollfd entry{.fd = reader.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&entry, 1, 10'000), 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  ASSERT_EQ(::fcntl(reader.get(), F_SETFL, 0), 0);
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(reader.get(), buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  EXPECT_TRUE(text.ends_with(" the last line\n")) << text.size();
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGINT) << status;
}

void signal_after_destruction() {
  {
    boost::asio::io_context context;
    StopSignals signals(context, [](int) {});
  }
  std::raise(SIGTERM);
}

TEST(StopSignalsDeathTest, AfterwardsTheDefaultHoldsAgain) {
  EXPECT_EXIT(signal_after_destruction(), testing::KilledBySignal(SIGTERM), "");
}

void hang_up_after_destruction() {
  {
    boost::asio::io_context context;
    StopSignals signals(context, [](int) {});
  }
  std::raise(SIGHUP);
  std::_Exit(7);
}

TEST(StopSignalsDeathTest, AfterwardsAHangUpEndsNothing) {
  EXPECT_EXIT(hang_up_after_destruction(), testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace tars::app
