#include "net/io/io_thread.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

#include "loopback.h"

namespace tars::net::testing {
namespace {

TEST(ConnectionCount, WaitsForTheLast) {
  ConnectionCount count;
  EXPECT_TRUE(count.wait_for_none(0ms));
  count.add();
  count.add();
  EXPECT_FALSE(count.wait_for_none(1ms));
  std::thread other([&count] {
    count.remove();
    count.remove();
  });
  EXPECT_TRUE(count.wait_for_none(20s));
  other.join();
  EXPECT_EQ(count.value(), 0U);
}

TEST(IoThread, EndsWithoutEverHavingStarted) {
  ServerOptions options;
  PlainApplication application;
  ConnectionCount count;
  BodyBudget bodies(1);
  IoThread thread(options, application, count, bodies);
  thread.stop_accepting();
  EXPECT_TRUE(thread.draining());
  thread.join();
}

TEST(IoThread, RunsAndEnds) {
  ServerOptions options;
  PlainApplication application;
  ConnectionCount count;
  BodyBudget bodies(1);
  IoThread thread(options, application, count, bodies);
  thread.start();
  auto done = asio::post(thread.context(), asio::use_future);
  EXPECT_EQ(done.wait_for(20s), std::future_status::ready);
  thread.join();
}

TEST(IoThread, ComesFirstWhereItIsToAndMay) {
  const auto policy_of = [](bool first) {
    ServerOptions options;
    options.threads_come_first = first;
    PlainApplication application;
    ConnectionCount count;
    BodyBudget bodies(1);
    IoThread thread(options, application, count, bodies);
    thread.start();
    auto policy =
        asio::post(thread.context(),
                   asio::use_future([] { return ::sched_getscheduler(0) & ~SCHED_RESET_ON_FORK; }));
    const int found = policy.get();
    thread.join();
    return found;
  };
  EXPECT_EQ(policy_of(false), SCHED_OTHER);
  int expected = SCHED_OTHER;
  std::thread([&expected] {
    if (ThreadPriority().begin(SteadyTime{})) expected = SCHED_RR;
  }).join();
  EXPECT_EQ(policy_of(true), expected);
}

}  // namespace
}  // namespace tars::net::testing
