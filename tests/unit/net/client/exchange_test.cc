#include "net/client/exchange.h"

#include <gmock/gmock.h>
#include <boost/asio/post.hpp>

#include "local_peer.h"
#include "net/client/http_client.h"

namespace tars::net {
namespace {

using namespace std::chrono_literals;
using net::testing::LocalPeer;
using net::testing::read_head;
using net::testing::run;
using net::testing::send;
using net::testing::wait_for_close;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

class ExchangeTest : public ::testing::Test {
 protected:
  // The whole body, or "error: …".
  std::string get(Exchange& exchange, std::chrono::milliseconds timeout = 5s) {
    const auto started = run(context_, exchange.start({.target = "/x"}, timeout));
    if (!started) return "error: " + started.error().message;
    std::string body;
    for (;;) {
      const auto bytes = run(context_, exchange.read_body(timeout));
      if (!bytes) return body + "error: " + bytes.error().message;
      if (bytes->empty()) return body;
      body += *bytes;
    }
  }

  boost::asio::io_context context_{1};
  HttpClient client_{context_, {.connect_timeout = 2s}};
};

TEST_F(ExchangeTest, SendsARequestAndReadsItsAnswer) {
  std::string asked;
  LocalPeer peer([&](auto& socket, int) {
    asked = read_head(socket);
    send(socket, kHello);
    wait_for_close(socket);
  });
  Endpoint endpoint = peer.endpoint();
  endpoint.base_path = "/v1";
  {
    const auto exchange = client_.open(endpoint);
    EXPECT_EQ(get(*exchange), "hello");
    EXPECT_TRUE(exchange->complete());
  }
  EXPECT_THAT(asked, StartsWith("GET /v1/x HTTP/1.1\r\nHost: 127.0.0.1:"));
  EXPECT_EQ(client_.kept_connections(), 1U);
  client_.close();
}

TEST_F(ExchangeTest, AKeptConnectionThatDiesWithTheRequestIsReplacedOnce) {
  LocalPeer peer([&](auto& socket, int number) {
    read_head(socket);
    send(socket, kHello);
    if (number == 0) {
      read_head(socket);  // the second request, and no answer
      return;
    }
    wait_for_close(socket);
  });
  EXPECT_EQ(get(*client_.open(peer.endpoint())), "hello");
  EXPECT_EQ(get(*client_.open(peer.endpoint())), "hello");
  EXPECT_EQ(peer.accepted, 2);
  client_.close();
}

TEST_F(ExchangeTest, WhatCameBeforeGarbageIsGivenFirst) {
  LocalPeer peer([&](auto& socket, int) {
    read_head(socket);
    send(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n");
    wait_for_close(socket);
  });
  EXPECT_THAT(get(*client_.open(peer.endpoint())), StartsWith("abcerror: the answer is no HTTP"));
  EXPECT_EQ(client_.kept_connections(), 0U);
}

TEST_F(ExchangeTest, NobodyThereIsToldApart) {
  const auto exchange = client_.open({.host = "127.0.0.1", .port = 1});
  const auto started = run(context_, exchange->start({}, 1s));
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::backend_unavailable);
  EXPECT_THAT(started.error().message, HasSubstr("no connection to http://127.0.0.1:1"));
  EXPECT_FALSE(run(context_, exchange->read_body(1s)));
}

TEST_F(ExchangeTest, ADeadlineEndsTheWaiting) {
  LocalPeer peer([&](auto& socket, int) { wait_for_close(socket); });
  const auto exchange = client_.open(peer.endpoint());
  const auto started = run(context_, exchange->start({}, 50ms));
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::timeout);
}

TEST_F(ExchangeTest, ACloseEndsTheWaitingAtOnce) {
  LocalPeer peer([&](auto& socket, int) { wait_for_close(socket); });
  const auto exchange = client_.open(peer.endpoint());
  boost::asio::post(context_, [&] { exchange->close(); });
  const auto started = run(context_, exchange->start({}, 20s));
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::closed);
}

}  // namespace
}  // namespace tars::net
