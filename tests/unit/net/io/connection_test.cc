#include "net/io/connection.h"

#include <gtest/gtest.h>

#include "loopback.h"

namespace tars::net::testing {
namespace {

asio::awaitable<std::string> received(Connection& c) {
  const auto r = co_await c.receive(true);
  co_return r.error ? r.error.message() : std::string(r.bytes);
}

TEST(Connection, ReceivesWhatThePeerSends) {
  Loopback t;
  t.peer_sends("hello");
  EXPECT_EQ(t.result_of(received(*t.connection)), "hello");
}

TEST(Connection, SendsBothParts) {
  Loopback t;
  EXPECT_TRUE(t.result_of(t.connection->send("head ", "body", 1s, 1)));
  t.connection->close();
  EXPECT_EQ(t.rest_of_peer(), "head body");
}

TEST(Connection, SendingToAPeerThatTookNothingEndsAtTheDeadline) {
  Loopback t;
  const std::string large(64 << 20, 'x');
  auto sent = t.begin(t.connection->send("h", large, 3600s, 1));
  t.connection->check_deadline(std::chrono::steady_clock::now() + 2h);
  EXPECT_TRUE(t.connection->timed_out());
  EXPECT_FALSE(t.result_of(std::move(sent)));
}

TEST(Connection, SendingToAPeerThatTakesALittleNowAndThenEndsToo) {
  Loopback t;
  const std::string large(64 << 20, 'x');
  auto sent = t.begin(t.connection->send("h", large, 1s, 1 << 30));
  std::string taken(2 << 20, '\0');
  const auto end = std::chrono::steady_clock::now() + 2s;
  while (!t.connection->timed_out() && std::chrono::steady_clock::now() < end) {
    t.peer.read_some(asio::buffer(taken));
    t.thread.context().run_for(100ms);
    t.connection->check_deadline(std::chrono::steady_clock::now());
  }
  EXPECT_TRUE(t.connection->timed_out());
  EXPECT_FALSE(t.result_of(std::move(sent)));
}

TEST(Connection, ADeadlineEndsTheWaitAndIsTold) {
  Loopback t;
  t.connection->set_deadline_in(1h);
  auto waiting = t.begin(received(*t.connection));
  t.connection->check_deadline(std::chrono::steady_clock::now());
  EXPECT_FALSE(t.connection->timed_out());
  t.connection->check_deadline(std::chrono::steady_clock::now() + 2h);
  EXPECT_TRUE(t.connection->timed_out());
  EXPECT_NE(t.result_of(std::move(waiting)).find("cancel"), std::string::npos);
}

TEST(Connection, LingeringTakesWhatComesUntilThePeerEnds) {
  Loopback t;
  t.peer_sends("more");
  t.peer.shutdown(tcp::socket::shutdown_send);
  t.result_of(t.connection->linger(3600s));
  EXPECT_EQ(t.connection->phase, Phase::lingering);
  EXPECT_EQ(t.rest_of_peer(), "");
}

}  // namespace
}  // namespace tars::net::testing
