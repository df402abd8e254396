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
  EXPECT_TRUE(t.result_of(t.connection->send("head ", "body", 1s)));
  t.connection->close();
  EXPECT_EQ(t.rest_of_peer(), "head body");
}

TEST(Connection, SendingToAPeerThatTookNothingEndsAtTheDeadline) {
  Loopback t;
  const std::string large(64 << 20, 'x');
  auto sent =
      asio::co_spawn(t.thread.context(), t.connection->send("h", large, 3600s), asio::use_future);
  t.thread.context().run_for(50ms);
  t.connection->check_deadline(std::chrono::steady_clock::now() + 2h);
  EXPECT_TRUE(t.connection->timed_out());
  t.thread.context().restart();
  t.thread.context().run_for(50ms);
  EXPECT_FALSE(sent.get());
}

TEST(Connection, ADeadlineEndsTheWaitAndIsTold) {
  Loopback t;
  t.connection->set_deadline_in(1h);
  auto waiting = asio::co_spawn(t.thread.context(), received(*t.connection), asio::use_future);
  t.thread.context().run_for(10ms);
  t.connection->check_deadline(std::chrono::steady_clock::now());
  EXPECT_FALSE(t.connection->timed_out());
  t.connection->check_deadline(std::chrono::steady_clock::now() + 2h);
  EXPECT_TRUE(t.connection->timed_out());
  t.thread.context().restart();
  t.thread.context().run_for(50ms);
  EXPECT_NE(waiting.get().find("cancel"), std::string::npos);
}

TEST(Connection, LingeringTakesWhatComesUntilThePeerEnds) {
  Loopback t;
  t.peer_sends("more");
  t.peer.shutdown(tcp::socket::shutdown_send);
  asio::co_spawn(t.thread.context(), t.connection->linger(3600s), asio::use_future).wait_for(0s);
  t.thread.context().run_for(50ms);
  EXPECT_EQ(t.connection->phase, Phase::lingering);
  EXPECT_EQ(t.rest_of_peer(), "");
}

}  // namespace
}  // namespace tars::net::testing
