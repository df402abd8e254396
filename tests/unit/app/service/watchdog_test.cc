#include "app/service/watchdog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "notify_socket.h"

namespace tars::app {
namespace {

using namespace std::chrono_literals;

// A model whose progress the test decides.
class Model final : public llm::Backend {
 public:
  std::chrono::milliseconds stalled{0};
  std::vector<llm::NamedStatus> several;
  llm::Status status() const override {
    return {.health = llm::Health::healthy, .detail = {}, .model = "m", .stalled = stalled};
  }
  std::vector<llm::NamedStatus> parts() const override { return several; }
  Result<void> generate(llm::Request, std::shared_ptr<llm::Sink>, std::stop_token) override {
    return make_error(ErrorCode::backend_unavailable, "none");
  }
  void shutdown() override {}
};

class WatchdogTest : public testing::Test {
 protected:
  int pings() {
    int out = 0;
    while (manager_.next() == "WATCHDOG=1") ++out;
    return out;
  }
  boost::asio::io_context context_;
  NotifySocket manager_;
  Model model_;
};

TEST_F(WatchdogTest, PingsTwiceInEachPeriodWhileDecodingGetsOn) {
  const ServiceNotify notify(manager_.path(), 200ms);
  const Watchdog watchdog(context_, notify, model_, 30s);
  EXPECT_EQ(pings(), 1);
  context_.run_for(1s);
  const int more = pings();
  EXPECT_GE(more, 4);
  EXPECT_LE(more, 10);
}

TEST_F(WatchdogTest, IsSilentWhileNothingGetsOn) {
  const ServiceNotify notify(manager_.path(), 20ms);
  model_.stalled = 30s;
  testing::internal::CaptureStderr();
  const Watchdog watchdog(context_, notify, model_, 30s);
  context_.run_for(100ms);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("no progress"));
  EXPECT_EQ(pings(), 0);
  model_.stalled = 29s;
  context_.run_for(100ms);
  EXPECT_GE(pings(), 1);
}

TEST_F(WatchdogTest, AnyBackendMayBeTheOneThatHangs) {
  const ServiceNotify notify(manager_.path(), 20ms);
  model_.several = {{"ollama", {}}, {"embedded", {.detail = {}, .model = {}, .stalled = 31s}}};
  const Watchdog watchdog(context_, notify, model_, 30s);
  context_.run_for(60ms);
  EXPECT_EQ(pings(), 0);
}

TEST_F(WatchdogTest, DoesNothingUnlessAsked) {
  const ServiceNotify notify(manager_.path());
  const Watchdog watchdog(context_, notify, model_, 30s);
  context_.run_for(50ms);
  EXPECT_EQ(manager_.next(), "");
}

}  // namespace
}  // namespace tars::app
