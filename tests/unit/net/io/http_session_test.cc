#include "net/io/http_session.h"

#include <gtest/gtest.h>

#include "loopback.h"

namespace tars::net::testing {
namespace {

asio::awaitable<bool> served(std::shared_ptr<Connection> c) {
  co_await serve_connection(std::move(c));
  co_return true;
}

TEST(HttpSession, AnswersOneAfterTheOtherUntilThePeerEnds) {
  Loopback t;
  t.peer_sends("GET /1 HTTP/1.1\r\nHost: t\r\n\r\nGET /2 HTTP/1.1\r\nHost: t\r\n\r\n");
  t.peer.shutdown(tcp::socket::shutdown_send);
  EXPECT_TRUE(t.result_of(served(std::move(t.connection))));
  const auto answers = t.rest_of_peer();
  EXPECT_LT(answers.find("GET /1"), answers.find("GET /2"));
  EXPECT_NE(answers.find("GET /2"), std::string::npos);
  EXPECT_EQ(t.count.value(), 0U);
}

TEST(HttpSession, AMalformedRequestEndsItWithAnAnswer) {
  Loopback t;
  t.peer_sends("nonsense\r\n\r\nGET /2 HTTP/1.1\r\nHost: t\r\n\r\n");
  t.peer.shutdown(tcp::socket::shutdown_send);
  EXPECT_TRUE(t.result_of(served(std::move(t.connection))));
  const auto answers = t.rest_of_peer();
  EXPECT_TRUE(answers.starts_with("HTTP/1.1 400 ")) << answers;
  EXPECT_EQ(answers.find("GET /2"), std::string::npos);
}

}  // namespace
}  // namespace tars::net::testing
