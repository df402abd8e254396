#include "app/service/service_notify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "../../../support/descriptor_limit.h"
#include "notify_socket.h"

namespace tars::app {
namespace {

using namespace std::chrono_literals;

TEST(ServiceNotify, SaysWhatTheProtocolHas) {
  NotifySocket manager;
  const ServiceNotify notify(manager.path());
  notify.ready("model x");
  EXPECT_EQ(manager.next(), "READY=1\nSTATUS=model x");
  notify.ready("");
  EXPECT_EQ(manager.next(), "READY=1");
  notify.ping();
  EXPECT_EQ(manager.next(), "WATCHDOG=1");
  notify.reloading();
  EXPECT_THAT(manager.next(), testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  notify.stopping();
  EXPECT_EQ(manager.next(), "STOPPING=1\nSTATUS=draining");
}

TEST(ServiceNotify, KnowsAbstractNames) {
  const std::string name = "tars-test-" + std::to_string(::getpid());
  NotifySocket manager(std::string(1, '\0') + name);
  ServiceNotify("@" + name).ping();
  EXPECT_EQ(manager.next(), "WATCHDOG=1");
}

TEST(ServiceNotify, NeedsNoDescriptorLaterOn) {
  NotifySocket manager;
  const ServiceNotify notify(manager.path());
  {
    const DescriptorLimit none(0);
    notify.ping();
    notify.stopping();
  }
  EXPECT_EQ(manager.next(), "WATCHDOG=1");
  EXPECT_EQ(manager.next(), "STOPPING=1\nSTATUS=draining");
}

// That one would never be told, and the server never end.
TEST(ServiceNotify, AManagerThatReadsNothingIsNotWaitedForLong) {
  NotifySocket manager;
  const ServiceNotify notify(manager.path());
  for (int i = 0; i < 1000; ++i) notify.ping();
  testing::internal::CaptureStderr();
  notify.stopping();
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("the service manager was not told"));
}

TEST(ServiceNotify, WithoutAManagerNothingHappens) {
  ServiceNotify().ping();
  testing::internal::CaptureStderr();
  ServiceNotify("/no/such/socket").ping();
  ServiceNotify(std::string(200, 'x')).ping();
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("the service manager was not told"));
}

class ServiceNotifyEnvironment : public testing::Test {
 protected:
  ~ServiceNotifyEnvironment() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }
};

TEST_F(ServiceNotifyEnvironment, IsReadAndTakenAway) {
  NotifySocket manager;
  ::setenv("NOTIFY_SOCKET", manager.path().c_str(), 1);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  const ServiceNotify notify = ServiceNotify::from_environment();
  EXPECT_EQ(notify.watchdog(), 30s);
  notify.ping();
  EXPECT_EQ(manager.next(), "WATCHDOG=1");
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
  EXPECT_EQ(std::getenv("WATCHDOG_USEC"), nullptr);
}

TEST_F(ServiceNotifyEnvironment, AnotherProcessesWatchdogIsNotOurs) {
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(ServiceNotify::from_environment().watchdog(), 0s);
  ::setenv("WATCHDOG_USEC", "nonsense", 1);
  EXPECT_EQ(ServiceNotify::from_environment().watchdog(), 0s);
}

}  // namespace
}  // namespace tars::app
