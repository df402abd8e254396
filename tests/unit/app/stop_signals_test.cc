#include "app/stop_signals.h"

#include <gtest/gtest.h>

#include <csignal>
#include <vector>

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

}  // namespace
}  // namespace tars::app
