#include "app/repeated_signal.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

namespace tars::app {
namespace {

TEST(RepeatedSignal, EachOneIsAnEvent) {
  boost::asio::io_context context;
  int seen = 0;
  RepeatedSignal signal(context, SIGUSR2, [&] { ++seen; });
  for (int sent = 1; sent <= 3; ++sent) {
    std::raise(SIGUSR2);
    while (seen < sent && context.run_one() > 0) {
    }
    EXPECT_EQ(seen, sent);
  }
}

void signal_after_destruction() {
  {
    boost::asio::io_context context;
    RepeatedSignal signal(context, SIGUSR2, [] {});
  }
  std::raise(SIGUSR2);
  std::_Exit(7);
}

TEST(RepeatedSignalDeathTest, AfterwardsItEndsNothing) {
  EXPECT_EXIT(signal_after_destruction(), testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace tars::app
