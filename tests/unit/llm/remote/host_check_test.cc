#include "llm/remote/host_check.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>

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
  std::vector<std::size_t> gone;
  HostCheck check({options, *dialect, hosts, clock}, client, context,
                  [&](std::size_t host) { gone.push_back(host); });
  bool ended = false;
  boost::asio::co_spawn(context, check.watch(0), [&](const std::exception_ptr& fault) {
    EXPECT_FALSE(fault);
    ended = true;
  });
  while (!hosts.is_failed(0) && context.run_one_for(std::chrono::seconds(20)) > 0) {
  }
  EXPECT_EQ(hosts.health(), Health::unhealthy);
  EXPECT_EQ(gone, std::vector<std::size_t>{0});
  EXPECT_FALSE(ended);
  check.stop();
  client.close();
  context.run_for(std::chrono::seconds(20));
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace tars::llm
