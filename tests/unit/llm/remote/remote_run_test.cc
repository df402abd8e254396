#include "llm/remote/remote_run.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>

#include <stdexcept>

#include "llm/remote/ollama_dialect.h"
#include "remote_sink.h"

namespace tars::llm {
namespace {

using llm::testing::RemoteSink;

class RemoteRunTest : public ::testing::Test {
 protected:
  // Nobody listens on port 1.
  RemoteRunTest() { options_.hosts = {{.host = "127.0.0.1", .port = 1}}; }
  ~RemoteRunTest() override { client_.close(); }

  std::shared_ptr<RemoteRun> make() {
    Request request;
    request.messages = {{Role::user, "x"}};
    return std::make_shared<RemoteRun>(RemoteParts{options_, *dialect_, hosts_, clock_}, client_,
                                       context_, std::move(request), "m", sink_, [this] {
                                         ++ended_;
                                         EXPECT_EQ(sink_->dones, 0);
                                       });
  }
  void serve(const std::shared_ptr<RemoteRun>& run) {
    boost::asio::co_spawn(context_, run->serve(),
                          [run](const std::exception_ptr& fault) { EXPECT_FALSE(fault); });
    llm::testing::run_until_done(context_, *sink_);
    EXPECT_EQ(sink_->dones, 1);
    EXPECT_EQ(sink_->starts, 1);
    EXPECT_EQ(ended_, 1);
  }

  RemoteOptions options_;
  const std::unique_ptr<Dialect> dialect_ = make_ollama_dialect(0);
  HostSet hosts_{{{.host = "127.0.0.1", .port = 1}}};
  SystemClock clock_;
  boost::asio::io_context context_{1};
  net::HttpClient client_{context_, {}};
  std::shared_ptr<RemoteSink> sink_ = std::make_shared<RemoteSink>();
  int ended_ = 0;
};

TEST_F(RemoteRunTest, NobodyThereIsAnErrorAndTheHostIsLeftOut) {
  serve(make());
  ASSERT_FALSE(*sink_->outcome);
  EXPECT_EQ(sink_->outcome->error().code, ErrorCode::backend_unavailable);
  EXPECT_TRUE(hosts_.is_failed(0));
  EXPECT_EQ(hosts_.busy(), std::vector<std::size_t>{0});
}

TEST_F(RemoteRunTest, AStopBeforeItBeganAsksNobody) {
  std::stop_source stop;
  const auto run = make();
  run->watch(stop.get_token());
  stop.request_stop();
  context_.poll();
  context_.restart();
  serve(run);
  ASSERT_TRUE(*sink_->outcome);
  EXPECT_EQ((*sink_->outcome)->reason, FinishReason::cancelled);
  EXPECT_FALSE(hosts_.is_failed(0));
}

TEST_F(RemoteRunTest, AFaultEndsItOnce) {
  const auto run = make();
  ::testing::internal::CaptureStderr();
  run->fail(std::make_exception_ptr(std::runtime_error("no memory")));
  run->fail(std::make_exception_ptr(std::runtime_error("again")));
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("no memory"), std::string::npos);
  EXPECT_EQ(sink_->dones, 1);
  EXPECT_EQ(sink_->outcome->error().code, ErrorCode::internal);
}

}  // namespace
}  // namespace tars::llm
