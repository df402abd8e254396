#include <gtest/gtest.h>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <dirent.h>

#include <optional>
#include <vector>

#include "../../support/descriptor_limit.h"
#include "net/io/listener.h"
#include "test_server.h"

namespace tars::net::testing {
namespace {

ServerOptions short_waits() {
  ServerOptions options;
  options.header_timeout = 1s;
  options.body_timeout = 1s;
  options.idle_timeout = 1s;
  return options;
}

// While it lives the process has so many descriptors left. With one the next client takes it, so
// that none is there to accept it with.
class FewDescriptorsLeft {
 public:
  explicit FewDescriptorsLeft(int count) : limit_(next_but(count)) {}

 private:
  static rlim_t next_but(int count) {
    std::vector<int> free;  // each the lowest one, and there may be gaps
    for (int i = 0; i < count; ++i) free.push_back(::dup(0));
    for (const int descriptor : free) ::close(descriptor);
    return static_cast<rlim_t>(free.back() + 1);
  }
  const DescriptorLimit limit_;
};

TEST(Deadlines, SlowHeadersAre408) {
  TestServer t(short_waits());
  auto client = t.client();
  client.send("GET / HTTP/1.1\r\nHos");
  const auto r = client.response();
  EXPECT_EQ(r.status, 408U);
  EXPECT_TRUE(r.has("Connection: close"));
}

TEST(Deadlines, SlowBodyIs408) {
  TestServer t(short_waits());
  auto client = t.client();
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(client.response().status, 408U);
  EXPECT_EQ(t.application.requests, 0);
}

TEST(Deadlines, AnIdleConnectionIsClosedWithoutAWord) {
  TestServer t(short_waits());
  auto client = t.client();
  EXPECT_EQ(client.get("/x").status, 200U);
  EXPECT_EQ(client.response().status, 0U);
  EXPECT_FALSE(client.has_bytes());
}

TEST(Deadlines, AThousandHalfOpenConnectionsEndWhileOthersAreServed) {
  ServerOptions options = short_waits();
  options.header_timeout = 3s;
  TestServer t(options);
  std::vector<RawClient> half_open;
  for (int i = 0; i < 1000; ++i) {
    half_open.emplace_back(t.server.port());
    half_open.back().send("POST /auth/token HTTP/1.1\r\nHost: t\r\nX-Slow: ");
  }
  auto client = t.client();
  EXPECT_EQ(client.get("/x").status, 200U);
  client.close();
  for (auto& c : half_open) EXPECT_EQ(c.response().status, 408U);
  half_open.clear();
  EXPECT_TRUE(t.settles_at(0));
}

TEST(PeerAddress, OfBothFamiliesIsWrittenAsWhatItIs) {
  ServerOptions options;
  options.host = "::";
  std::unique_ptr<TestServer> t;
  try {
    t = std::make_unique<TestServer>(options);
  } catch (const std::exception& e) {
    GTEST_SKIP() << "no IPv6 here: " << e.what();
  }
  EXPECT_EQ(t->client().get("/peer").body, "127.0.0.1");
}

TEST(PeerAddress, TheSecondHostHasTheSamePort) {
  if (!is_local(asio::ip::make_address("::1"))) GTEST_SKIP() << "no IPv6 here";
  for (const int threads : {1, 2}) {
    ServerOptions options;
    options.second_host = "::1";
    options.io_threads = threads;
    TestServer t(options);
    asio::io_context context;
    asio::ip::tcp::socket socket(context);
    boost::system::error_code ec;
    socket.connect({asio::ip::make_address("::1"), t.server.port()}, ec);
    ASSERT_FALSE(ec) << ec.message();
    asio::write(socket, asio::buffer(std::string_view(
                            "GET /peer HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")));
    std::string answer;
    asio::read(socket, asio::dynamic_buffer(answer), ec);
    EXPECT_TRUE(answer.ends_with("\r\n\r\n::1")) << answer;
    EXPECT_EQ(t.client().get("/peer").body, "127.0.0.1");
  }
}

// A port that another program has there is no reason not to start.
TEST(PeerAddress, TheSecondHostIsNotNeeded) {
  if (!is_local(asio::ip::make_address("::1"))) GTEST_SKIP() << "no IPv6 here";
  asio::io_context context;
  std::unique_ptr<TestServer> t;
  // Until one is found that nobody has on 127.0.0.1.
  for (int tries = 0; tries < 20 && !t; ++tries) {
    const asio::ip::tcp::endpoint any(asio::ip::make_address("::1"), 0);
    asio::ip::tcp::acceptor other(context, any);
    ServerOptions options;
    options.second_host = "::1";
    options.port = other.local_endpoint().port();
    try {
      t = std::make_unique<TestServer>(options);
    } catch (const std::exception&) {
      continue;
    }
    EXPECT_EQ(t->client().get("/peer").body, "127.0.0.1");
  }
  EXPECT_TRUE(t);
}

TEST(Limits, AChunkHeadOrTrailerWithoutEndIs431) {
  TestServer t;
  for (const char* line : {"5;a=", "0", "0\r\nX: "}) {
    auto client = t.client();
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" +
                std::string(line));
    const std::string more(64 * 1024, '0');
    // Far more than it may hold; that it stops reading is no fault.
    for (int i = 0; i < 16 && client.send(more); ++i) {
    }
    const auto r = client.response();
    EXPECT_EQ(r.status, 431U) << line;
    EXPECT_TRUE(r.has("Connection: close")) << line;
  }
}

TEST(Limits, OthersAreServedBetweenTheRequestsThatOneSendsAtOnce) {
  TestServer t;
  auto other = t.client();
  EXPECT_EQ(other.get("/1").status, 200U);
  constexpr int kMany = 1000;
  std::string all;
  for (int i = 0; i < kMany; ++i) all += "HEAD /busy HTTP/1.1\r\nHost: t\r\n\r\n";
  auto greedy = t.client();
  greedy.send(all);
  while (t.application.requests < 2) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(other.get("/2").status, 200U);
  EXPECT_LT(t.application.requests, kMany);
  for (int i = 0; i < kMany; ++i) ASSERT_EQ(greedy.response(true).status, 200U) << i;
}

// Asks for an answer that does not come, and waits until the application has the request.
void occupy(TestServer& t, RawClient& client) {
  const int before = t.application.requests;
  client.send("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
  while (t.application.requests == before) std::this_thread::sleep_for(1ms);
}

TEST(Limits, MoreConnectionsThanAllowedWaitTheirTurn) {
  ServerOptions options;
  options.max_connections = 2;
  TestServer t(options);
  auto first = t.client();
  auto second = t.client();
  occupy(t, first);
  EXPECT_EQ(second.upgrade().status, 101U) << "a WebSocket is not idle";
  auto third = t.client();
  third.send("GET /3 HTTP/1.1\r\nHost: t\r\n\r\n");
  std::this_thread::sleep_for(250ms);  // several looks long
  second.send_text("still here");
  EXPECT_EQ(second.read_frame().payload, "still here");
  EXPECT_EQ(t.server.open_connections(), 2U);
  EXPECT_EQ(t.application.requests, 1);
  second.close();
  EXPECT_EQ(third.response().body, "GET /3");
}

TEST(Limits, ForOneMoreTheLongestIdleConnectionEnds) {
  ServerOptions options;
  options.max_connections = 3;
  options.idle_timeout = 1h;
  TestServer t(options);
  auto busy = t.client();
  occupy(t, busy);
  auto older = t.client();
  EXPECT_EQ(older.get("/1").status, 200U);
  auto newer = t.client();
  EXPECT_EQ(newer.get("/2").status, 200U);
  EXPECT_EQ(older.get("/1").status, 200U) << "full, and nobody waits";
  EXPECT_EQ(t.client().get("/3").status, 200U);
  EXPECT_TRUE(newer.ends());
  EXPECT_EQ(older.get("/1").status, 200U);
}

TEST(Limits, IdleConnectionsKeepNobodyOut) {
  ServerOptions options;
  options.max_connections = 20;
  options.idle_timeout = 1h;
  options.io_threads = 2;
  TestServer t(options);
  std::vector<RawClient> idle;
  for (int i = 0; i < 100; ++i) {
    idle.push_back(t.client());
    EXPECT_EQ(idle.back().get("/x").status, 200U) << i;
  }
  EXPECT_LE(t.server.open_connections(), 21U);
}

// Neither waits for anything of ours: the one has its answer, the others do not say what they want.
TEST(Limits, ConnectionsThatLingerOrSendByteByByteKeepNobodyOut) {
  ServerOptions options;
  options.max_connections = 4;
  options.header_timeout = 1h;
  options.body_timeout = 1h;
  TestServer t(options);
  auto busy = t.client();
  occupy(t, busy);
  auto refused = t.client();
  refused.send("nonsense\r\n\r\n");
  EXPECT_EQ(refused.response().status, 400U);
  auto head = t.client();
  head.send("GET /slow HTT");
  auto body = t.client();
  body.send("POST /slow HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nx");
  std::this_thread::sleep_for(1100ms);
  std::vector<RawClient> others;
  for (int i = 0; i < 3; ++i) {
    others.push_back(t.client());
    occupy(t, others.back());
  }
  EXPECT_TRUE(refused.ends());
  EXPECT_TRUE(head.ends());
  EXPECT_TRUE(body.ends());
  EXPECT_EQ(t.server.open_connections(), 4U);
}

TEST(Limits, WithoutDescriptorsAcceptingPausesAndGoesOn) {
  TestServer t;
  auto before = t.client();
  EXPECT_EQ(before.get("/1").status, 200U);

  auto waiting = t.client();
  EXPECT_EQ(waiting.get("/2").status, 200U);
  std::optional<FewDescriptorsLeft> want(std::in_place, 1);
  auto starved = t.client();
  starved.send("GET /3 HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(before.get("/1").status, 200U);
  std::this_thread::sleep_for(250ms);  // several pauses long
  EXPECT_EQ(t.server.open_connections(), 2U);
  want.reset();
  EXPECT_EQ(starved.response().body, "GET /3");
}

// One of its clients has been idle for so long that it may end for another one.
struct WithAnIdleClient {
  WithAnIdleClient() {
    EXPECT_EQ(idle.get("/1").status, 200U);
    std::this_thread::sleep_for(1100ms);
  }
  static ServerOptions patient() {
    ServerOptions options;
    options.idle_timeout = 1h;
    return options;
  }
  TestServer server{patient()};
  RawClient idle = server.client();
};

TEST(Limits, WithoutDescriptorsTheLongestIdleConnectionEnds) {
  WithAnIdleClient here;
  TestServer& t = here.server;
  std::optional<FewDescriptorsLeft> want(std::in_place, 1);
  auto starved = t.client();
  starved.send("GET /2 HTTP/1.1\r\nHost: t\r\n\r\n");
  for (int i = 0; i < 500 && t.application.requests < 2; ++i) std::this_thread::sleep_for(20ms);
  EXPECT_EQ(t.application.requests, 2) << "answered in the time of want";
  want.reset();
  EXPECT_EQ(starved.response().body, "GET /2");
  EXPECT_TRUE(here.idle.ends());
}

TEST(Limits, AfterATimeOfWantNobodyEndsForTheNext) {
  WithAnIdleClient here;
  TestServer& t = here.server;
  std::optional<FewDescriptorsLeft> want(std::in_place, 2);
  auto last = t.client();  // is accepted, with the last one
  EXPECT_EQ(last.get("/2").status, 200U);
  want.reset();
  auto next = t.client();
  EXPECT_EQ(next.get("/3").status, 200U);
  EXPECT_EQ(here.idle.get("/4").status, 200U);
}

TEST(Limits, APeerThatVanishesMidRequestLeavesNothing) {
  TestServer t;
  for (int i = 0; i < 20; ++i) {
    auto client = t.client();
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\nabc");
    client.reset();
  }
  EXPECT_TRUE(t.settles_at(0));
}

TEST(Limits, APeerThatVanishesMidAnswerLeavesNothing) {
  TestServer t;
  for (int i = 0; i < 5; ++i) {
    RawClient client(t.server.port(), 4096);
    client.send("GET /big HTTP/1.1\r\nHost: t\r\n\r\n");
    client.reset();
  }
  EXPECT_TRUE(t.settles_at(0));
}

}  // namespace
}  // namespace tars::net::testing
