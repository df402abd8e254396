#include "llm/remote/host_check.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>

#include <stdexcept>

#include "../../../support/descriptor_limit.h"
#include "llm/remote/ollama_dialect.h"

namespace tars::llm {
namespace {

TEST(HostCheck, FindsWhoIsNotThereAndEndsWhenTold) {
  RemoteOptions options;
  const auto dialect = make_ollama_dialect(0);
  HostSet hosts({{.host = "127.0.0.1", .port = 1}});
  const SystemClock clock;
  boost::asio::io_context context{1};
  net::HttpClient client(context, {});
  HostCheck check({options, *dialect, hosts, clock}, client, context, [](std::size_t) { FAIL(); });
  bool ended = false;
  boost::asio::co_spawn(context, check.watch(0), [&](const std::exception_ptr& fault) {
    EXPECT_FALSE(fault);
    ended = true;
  });
  while (!hosts.is_failed(0) && context.run_one_for(std::chrono::seconds(20)) > 0) {
  }
  EXPECT_EQ(hosts.health(), Health::unhealthy);
  EXPECT_FALSE(ended);
  check.stop();
  client.close();
  context.run_for(std::chrono::seconds(20));
  EXPECT_TRUE(ended);
}

// A server without descriptors cannot ask, and knows no more of the host than before.
TEST(HostCheck, WantOfDescriptorsIsNoWordAboutTheHost) {
  RemoteOptions options;
  options.return_interval = std::chrono::milliseconds(1);
  const auto dialect = make_ollama_dialect(0);
  HostSet hosts({{.host = "127.0.0.1", .port = 1}});
  const SystemClock clock;
  boost::asio::io_context context{1};
  net::HttpClient client(context, {});
  HostCheck check({options, *dialect, hosts, clock}, client, context, [](std::size_t) { FAIL(); });
  boost::asio::co_spawn(context, check.watch(0),
                        [](const std::exception_ptr& fault) { EXPECT_FALSE(fault); });
  {
    const DescriptorLimit none(0);
    context.run_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(hosts.health(), Health::starting);
  check.stop();
  client.close();
  context.run_for(std::chrono::seconds(20));
}

// Throws where it is asked for its list the first time.
class FaultyDialect final : public Dialect {
 public:
  std::string_view name() const override { return "faulty"; }
  std::string_view model_option() const override { return "NONE"; }
  std::string_view stream_type() const override { return "text/plain"; }
  net::ClientRequest chat(const Request&, const std::string&, const RequestForm&) const override {
    return {};
  }
  std::unique_ptr<AnswerReader> reader() const override { return nullptr; }
  net::ClientRequest list() const override {
    if (++lists == 1) throw std::runtime_error("out of luck");
    return {};
  }
  Result<std::vector<std::string>> models(std::string_view) const override {
    return std::vector<std::string>{};
  }
  mutable int lists = 0;
};

TEST(HostCheck, AFaultIsLoggedAndTheHostCheckedAgain) {
  RemoteOptions options;
  options.return_interval = std::chrono::milliseconds(1);
  const FaultyDialect dialect;
  HostSet hosts({{.host = "127.0.0.1", .port = 1}});
  const SystemClock clock;
  boost::asio::io_context context{1};
  net::HttpClient client(context, {});
  HostCheck check({options, dialect, hosts, clock}, client, context, [](std::size_t) {});
  ::testing::internal::CaptureStderr();
  boost::asio::co_spawn(context, check.watch(0),
                        [](const std::exception_ptr& fault) { EXPECT_FALSE(fault); });
  while (!hosts.is_failed(0) && context.run_one_for(std::chrono::seconds(20)) > 0) {
  }
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("out of luck"), std::string::npos);
  EXPECT_TRUE(hosts.is_failed(0)) << "the second check found that nobody is there";
  check.stop();
  client.close();
  context.run_for(std::chrono::seconds(20));
}

}  // namespace
}  // namespace tars::llm
