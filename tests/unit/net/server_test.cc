#include "net/server.h"

#include <gtest/gtest.h>

#include "io/loopback.h"

namespace tars::net::testing {
namespace {

TEST(Server, TellsThePortItGot) {
  ServerOptions options;
  options.port = 0;
  PlainApplication application;
  Server server(options, application);
  EXPECT_EQ(server.port(), 0);
  ASSERT_TRUE(server.listen().has_value());
  EXPECT_NE(server.port(), 0);
  EXPECT_EQ(server.open_connections(), 0U);
}

TEST(Server, StopsWithoutStartAndTwice) {
  ServerOptions options;
  options.port = 0;
  options.io_threads = 2;
  PlainApplication application;
  Server server(options, application);
  ASSERT_TRUE(server.listen().has_value());
  server.stop(0ms);
  server.stop(0ms);
}

TEST(Server, ContextRunsWhatIsPostedToIt) {
  ServerOptions options;
  options.port = 0;
  PlainApplication application;
  Server server(options, application);
  ASSERT_TRUE(server.listen().has_value());
  server.start();
  auto done = asio::post(server.context(), asio::use_future);
  EXPECT_EQ(done.wait_for(20s), std::future_status::ready);
  EXPECT_THROW(server.context(1), std::out_of_range);
}

}  // namespace
}  // namespace tars::net::testing
