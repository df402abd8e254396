#include "net/client/exchange.h"

#include <gmock/gmock.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <functional>
#include <optional>
#include <thread>
#include <vector>

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

// TCP_USER_TIMEOUT in milliseconds of this process's connection to that port on loopback.
std::optional<unsigned> user_timeout(std::uint16_t port) {
  for (int fd = 3; fd < 256; ++fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    if (peer.sin_family != AF_INET || ntohs(peer.sin_port) != port) continue;
    unsigned out = 0;
    size = sizeof out;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &out, &size) == 0) return out;
  }
  return std::nullopt;
}

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
  EXPECT_THAT(asked, HasSubstr("\r\nAccept-Encoding: identity\r\n"));
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

TEST_F(ExchangeTest, AKeptConnectionOfWhichTheServerIsTiredIsReplacedOnce) {
  const std::string tired =
      "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 7\r\n\r\nno time";
  LocalPeer peer([&](auto& socket, int number) {
    read_head(socket);
    send(socket, number < 2 ? kHello : tired);
    if (number == 0) {
      read_head(socket);
      send(socket, tired);
    }
    wait_for_close(socket);
  });
  EXPECT_EQ(get(*client_.open(peer.endpoint())), "hello");
  EXPECT_EQ(get(*client_.open(peer.endpoint())), "hello");
  EXPECT_EQ(peer.accepted, 2);
  client_.close();  // the peer has one at a time
  HttpClient other(context_, {});
  const auto fresh = other.open(peer.endpoint());
  ASSERT_TRUE(run(context_, fresh->start({}, 20s)));
  EXPECT_EQ(fresh->head().status, 408U) << "on a new connection it is about the request";
  other.close();
}

// The first connection stands in for one to a host that is gone: nothing that is sent gets there,
// here because nobody reads it.
TEST_F(ExchangeTest, AKeptConnectionOnWhichNothingGetsThroughIsReplaced) {
  const std::string body(8'000'000, 'x');
  std::optional<LocalPeer::Tcp::socket> held;
  LocalPeer peer([&](auto& socket, int number) {
    read_head(socket);
    if (number > 0) {
      std::string in(body.size() - 1000, '\0');  // some of it came with the head
      boost::asio::read(socket, boost::asio::buffer(in));
      held.reset();
    }
    send(socket, kHello);
    if (number == 0) held = std::move(socket);
  });
  HttpClient client(context_, {.kept_ack_timeout = 300ms});
  {
    const auto first = client.open(peer.endpoint());
    EXPECT_EQ(get(*first), "hello");
  }
  ASSERT_EQ(client.kept_connections(), 1U);
  const auto second = client.open(peer.endpoint());
  EXPECT_TRUE(run(context_, second->start({.method = "POST", .body = body}, 20s)));
  EXPECT_EQ(peer.accepted, 2);
  client.close();
}

TEST_F(ExchangeTest, AKeptConnectionThatLeadsSomewhereIsWaitedForAsANewOne) {
  LocalPeer peer([&](auto& socket, int) {
    read_head(socket);
    send(socket, kHello);
    read_head(socket);  // and no answer for now
    wait_for_close(socket);
  });
  HttpClient client(context_, {.kept_ack_timeout = 9s, .ack_timeout = 31s});
  EXPECT_EQ(get(*client.open(peer.endpoint())), "hello");
  const auto second = client.open(peer.endpoint());
  boost::asio::co_spawn(context_, second->start({.target = "/y"}, 60s), boost::asio::detached);
  std::vector<unsigned> patience;
  while (patience.empty() || patience.back() != 31'000) {
    ASSERT_GT(context_.run_one_for(20s), 0U);
    if (const auto now = user_timeout(peer.endpoint().port); now && *now != 0) {
      if (patience.empty() || patience.back() != *now) patience.push_back(*now);
    }
  }
  EXPECT_THAT(patience, ::testing::ElementsAre(9'000, 31'000));
  EXPECT_EQ(peer.accepted, 1);
  second->close();
  client.close();
  context_.restart();
  context_.run();
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

TEST_F(ExchangeTest, AWholeBodyHasALimitAndADeadlineInAll) {
  LocalPeer peer([&](auto& socket, int number) {
    read_head(socket);
    send(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20; ++i) {
      send(socket, "5\r\nhello\r\n");
      if (number == 2) std::this_thread::sleep_for(50ms);
    }
    send(socket, "0\r\n\r\n");
  });
  const auto read = [&](std::size_t limit, std::chrono::milliseconds timeout) {
    const auto exchange = client_.open(peer.endpoint());
    EXPECT_TRUE(run(context_, exchange->start({.target = "/x"}, 5s)));
    return run(context_, exchange->read_all(limit, timeout));
  };
  const auto whole = read(1000, 5s);
  EXPECT_EQ(whole.bytes.size(), 100U);
  EXPECT_FALSE(whole.trouble);
  EXPECT_EQ(read(10, 5s).trouble->code, ErrorCode::payload_too_large);
  const auto cut = read(1000, 500ms);
  EXPECT_THAT(cut.bytes, StartsWith("hello"));
  EXPECT_EQ(cut.trouble->code, ErrorCode::timeout) << "bytes alone are no progress";
  client_.close();
}

// read_each(): what `take` was given, one after the other, then how it ended.
class ExchangeEach : public ExchangeTest {
 protected:
  std::string each(const std::function<void(boost::asio::ip::tcp::socket&)>& answer,
                   std::chrono::milliseconds timeout = 5s, std::size_t at_most = 1000) {
    LocalPeer peer([&](auto& socket, int) {
      read_head(socket);
      send(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      answer(socket);
    });
    const auto exchange = client_.open(peer.endpoint());
    if (!run(context_, exchange->start({.target = "/x"}, 5s))) return "no head";
    std::string all;
    const Exchange::Take take = [&](std::string_view bytes) {
      all += bytes.empty() ? "." : bytes;
      if (close_at_ && all.size() >= *close_at_) exchange->close();
      if (more_time_) exchange->wait_at_most(*more_time_);
      return all.size() < at_most;
    };
    const auto ended = run(context_, exchange->read_each(timeout, take));
    client_.close();
    return ended ? all : all + " error: " + ended.error().message;
  }

  std::optional<std::size_t> close_at_;
  std::optional<std::chrono::milliseconds> more_time_;  // asked for at each piece
};

TEST_F(ExchangeEach, GivesPiecesAsTheyComeThenTheEnd) {
  EXPECT_EQ(each([](auto& socket) {
              send(socket, "2\r\nab\r\n");
              std::this_thread::sleep_for(20ms);
              send(socket, "1\r\nc\r\n0\r\n\r\n");
              wait_for_close(socket);
            }),
            "abc.");
}

TEST_F(ExchangeEach, EndsWhereItIsToldTo) {
  EXPECT_EQ(each(
                [](auto& socket) {
                  send(socket, "2\r\nab\r\n");
                  wait_for_close(socket);
                },
                5s, 2),
            "ab");
}

TEST_F(ExchangeEach, AnExceptionOfWhoTakesThemReachesWhoWaits) {
  LocalPeer peer([&](auto& socket, int) {
    read_head(socket);
    send(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::this_thread::sleep_for(20ms);
    send(socket, "2\r\nab\r\n");
    wait_for_close(socket);
  });
  const auto exchange = client_.open(peer.endpoint());
  ASSERT_TRUE(run(context_, exchange->start({.target = "/x"}, 5s)));
  const Exchange::Take take = [](std::string_view) -> bool { throw std::bad_alloc(); };
  std::exception_ptr fault;
  boost::asio::co_spawn(
      context_, exchange->read_each(5s, take),
      [&](const std::exception_ptr& thrown, const Result<void>&) { fault = thrown; });
  context_.restart();
  while (!fault && context_.run_one_for(20s) > 0) {
  }
  ASSERT_TRUE(fault);
  EXPECT_THROW(std::rethrow_exception(fault), std::bad_alloc);
  client_.close();
}

TEST_F(ExchangeEach, ASilenceIsATimeout) {
  EXPECT_THAT(each(
                  [](auto& socket) {
                    send(socket, "2\r\nab\r\n");
                    wait_for_close(socket);
                  },
                  50ms),
              HasSubstr("did not answer in time"));
}

// Twenty pieces in half a second.
void drip(boost::asio::ip::tcp::socket& socket) {
  for (int i = 0; i < 20; ++i) {
    send(socket, "1\r\na\r\n");
    std::this_thread::sleep_for(25ms);
  }
  send(socket, "0\r\n\r\n");
  wait_for_close(socket);
}

TEST_F(ExchangeEach, BytesAloneAreNoProgress) {
  EXPECT_THAT(each(drip, 200ms), HasSubstr("did not answer in time"));
}

TEST_F(ExchangeEach, WhoTakesThemMayAskForMoreTime) {
  more_time_ = 5s;
  EXPECT_EQ(each(drip, 300ms), std::string(20, 'a') + ".");
}

TEST_F(ExchangeEach, ACutAnswerIsToldAfterItsPieces) {
  EXPECT_EQ(each([](auto& socket) { send(socket, "2\r\nab\r\n"); }),
            "ab error: the connection was closed before the answer's end");
}

TEST_F(ExchangeEach, GarbageIsToldAfterItsPieces) {
  EXPECT_THAT(each([](auto& socket) {
                send(socket, "2\r\nab\r\nzz\r\n");
                wait_for_close(socket);
              }),
              StartsWith("ab error: the answer is no HTTP"));
}

TEST_F(ExchangeEach, AClosingTakerIsTheLastOne) {
  close_at_ = 2;
  EXPECT_EQ(each([](auto& socket) {
              send(socket, "2\r\nab\r\n");
              wait_for_close(socket);
            }),
            "ab error: the request was given up");
}

}  // namespace
}  // namespace tars::net
