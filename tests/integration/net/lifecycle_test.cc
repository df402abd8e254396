#include <gtest/gtest.h>

#include <vector>

#include "test_server.h"

namespace tars::net::testing {
namespace {

asio::awaitable<void> sleep_for_ever(std::unique_ptr<WebSocket> socket) {
  asio::steady_timer timer(socket->executor(), 1h);
  co_await timer.async_wait(asio::use_awaitable);
}

TEST(Stop, WithNothingOpenReturnsAtOnce) {
  TestServer t;
  t.server.stop(1h);
  EXPECT_THROW(t.client(), std::runtime_error);
}

TEST(Stop, ClosesIdleConnectionsWithoutUsingTheGrace) {
  TestServer t;
  auto client = t.client();
  EXPECT_EQ(client.get("/x").status, 200U);
  t.server.stop(1h);
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(t.server.open_connections(), 0U);
}

TEST(Stop, LetsARunningRequestFinish) {
  TestServer t;
  t.application.wait = 1s;
  auto client = t.client();
  client.send("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
  while (t.application.requests == 0) std::this_thread::sleep_for(1ms);
  auto stopped = std::async(std::launch::async, [&t] { t.server.stop(1h); });
  const auto r = client.response();
  EXPECT_EQ(r.body, "GET /wait");
  EXPECT_TRUE(r.has("Connection: close"));
  client.close();
  stopped.get();
}

TEST(Stop, DropsWhatDoesNotFinishInTime) {
  TestServer t;
  t.application.session = sleep_for_ever;
  auto http = t.client();
  http.send("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
  auto websocket = t.client();
  EXPECT_EQ(websocket.upgrade().status, 101U);
  while (t.application.requests == 0) std::this_thread::sleep_for(1ms);
  t.server.stop(50ms);
  EXPECT_TRUE(http.ends());
  EXPECT_TRUE(websocket.ends());
}

TEST(Stop, EndsSessionsThatRead) {
  TestServer t;
  auto client = t.client();
  EXPECT_EQ(client.upgrade().status, 101U);
  t.server.stop(50ms);
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(t.server.open_connections(), 0U);
}

TEST(Stop, TheDestructorStopsToo) {
  auto t = std::make_unique<TestServer>();
  auto client = t->client();
  EXPECT_EQ(client.get("/x").status, 200U);
  t.reset();
  EXPECT_TRUE(client.ends());
}

TEST(Listen, ATakenPortNamesTheOptionAndTheFix) {
  for (const int threads_of_first : {1, 2}) {
    for (const int threads_of_second : {1, 2}) {
      ServerOptions options;
      options.io_threads = threads_of_first;
      TestServer first(options);
      TestApplication application;
      options.io_threads = threads_of_second;
      options.port = first.server.port();
      Server second(options, application);
      const auto result = second.listen();
      ASSERT_FALSE(result.has_value());
      EXPECT_EQ(result.error().code, ErrorCode::config_error);
      EXPECT_NE(result.error().message.find("TARS_PORT"), std::string::npos);
      EXPECT_NE(result.error().message.find("in use"), std::string::npos);
    }
  }
}

TEST(Listen, APortIsFreeAgainAfterStop) {
  TestServer first;
  auto client = first.client();
  EXPECT_EQ(client.get("/x").status, 200U);
  first.server.stop(0ms);
  TestApplication application;
  ServerOptions options;
  options.port = first.server.port();
  Server second(options, application);
  const auto result = second.listen();
  EXPECT_TRUE(result.has_value()) << result.error().message;
}

TEST(Threads, SeveralShareOnePort) {
  ServerOptions options;
  options.io_threads = 3;
  TestServer t(options);
  std::vector<RawClient> clients;
  for (int i = 0; i < 60; ++i) clients.emplace_back(t.server.port());
  for (auto& c : clients) EXPECT_EQ(c.get("/x").status, 200U);
  EXPECT_EQ(t.server.open_connections(), 60U);
  t.server.stop(1h);
  EXPECT_EQ(t.server.open_connections(), 0U);
}

}  // namespace
}  // namespace tars::net::testing
