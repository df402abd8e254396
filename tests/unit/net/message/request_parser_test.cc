#include "net/message/request_parser.h"

#include <gtest/gtest.h>

namespace tars::net {
namespace {

constexpr std::size_t kHeader = 16 * 1024;
constexpr std::size_t kBody = 100;

unsigned failure_of(std::string_view bytes) {
  RequestParser parser(kHeader, kBody);
  parser.feed(bytes);
  EXPECT_FALSE(parser.done());
  return parser.failure() ? parser.failure()->status : 0;
}

// Feeds as a socket would, `step` bytes at a time, offering again what was not used.
std::size_t feed_in_steps(RequestParser& parser, std::string_view bytes, std::size_t step) {
  std::size_t used = 0;
  for (std::size_t end = step; !parser.done() && !parser.failure(); end += step) {
    end = std::min(end, bytes.size());
    used += parser.feed(bytes.substr(used, end - used));
    if (end == bytes.size()) break;
  }
  return used;
}

TEST(RequestParser, ReadsARequestInPiecesOfAnySize) {
  const std::string bytes =
      "\r\nPOST /a?b=c HTTP/1.1\r\nHost: t\r\nX-A:  1 \r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n1\r\nd\r\n0\r\nTrailer: x\r\n\r\n";
  for (std::size_t step = 1; step < bytes.size() + 3; ++step) {
    RequestParser parser(kHeader, kBody);
    EXPECT_EQ(feed_in_steps(parser, bytes + "GET", step), bytes.size()) << step;
    ASSERT_TRUE(parser.done()) << step;
    const auto& r = parser.request();
    EXPECT_EQ(r.method, "POST");
    EXPECT_EQ(r.target, "/a?b=c");
    EXPECT_EQ(r.path, "/a");
    EXPECT_EQ(r.query_param("b"), "c");
    EXPECT_EQ(r.header("x-a"), "1");
    EXPECT_EQ(r.header("Trailer"), std::nullopt);
    EXPECT_EQ(r.body, "abcd");
    EXPECT_TRUE(parser.keeps_alive());
  }
}

TEST(RequestParser, TellsWhatItIsWaitingFor) {
  RequestParser parser(kHeader, kBody);
  EXPECT_EQ(parser.feed("\r\n\r\n"), 4U);
  EXPECT_FALSE(parser.started());
  parser.feed("PUT / HTTP/1.1\r\n");
  EXPECT_TRUE(parser.started());
  EXPECT_FALSE(parser.header_done());
  parser.feed("Host: t\r\nExpect: 100-Continue\r\nConnection: close\r\nContent-Length: 1\r\n\r\n");
  EXPECT_TRUE(parser.header_done());
  EXPECT_TRUE(parser.expects_continue());
  EXPECT_FALSE(parser.keeps_alive());
  EXPECT_FALSE(parser.done());
  EXPECT_EQ(parser.feed("xy"), 1U);
  EXPECT_TRUE(parser.done());
}

TEST(RequestParser, OldVersionDoesNotKeepAlive) {
  RequestParser parser(kHeader, kBody);
  parser.feed("GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(parser.done());
  EXPECT_FALSE(parser.keeps_alive());
}

// RFC 9110 section 2.5.
TEST(RequestParser, ALaterMinorVersionIsReadAsTheHighestKnown) {
  const std::string bytes = "GET /a HTTP/1.2\r\nHost: t\r\n\r\n";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    RequestParser parser(kHeader, kBody);
    EXPECT_EQ(feed_in_steps(parser, bytes, step), bytes.size()) << step;
    ASSERT_TRUE(parser.done()) << step;
    EXPECT_EQ(parser.request().target, "/a");
    EXPECT_TRUE(parser.keeps_alive());
    EXPECT_TRUE(parser.may_upgrade());
  }
  EXPECT_EQ(failure_of("GET / HTTP/1.9\r\n\r\n"), 400U) << "without a Host";
  EXPECT_EQ(failure_of("GET / HTTP/1.2x\r\nHost: t\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of("GET / HTTP/1.2 \r\nHost: t\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of("GET / HTTP/2.0\r\nHost: t\r\n\r\n"), 505U);
  EXPECT_EQ(failure_of("GET / HTTP/0.9\r\nHost: t\r\n\r\n"), 505U);
}

TEST(RequestParser, TheHostIsANameOrAnAddress) {
  EXPECT_EQ(failure_of("GET / HTTP/1.1\r\nHost: a b/c\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of("GET / HTTP/1.1\r\nHost: user@t\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of("GET / HTTP/1.0\r\nHost: a/b\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), 400U);
  const std::pair<const char*, const char*> rows[] = {
      {"GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n", "[::1]:8000"},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", ""},
      {"GET http://b:80/ HTTP/1.1\r\nHost: a\r\n\r\n", "b:80"},
      {"GET http://b/ HTTP/1.0\r\n\r\n", "b"}};
  for (const auto& [bytes, host] : rows) {
    RequestParser parser(kHeader, kBody);
    parser.feed(bytes);
    ASSERT_TRUE(parser.done()) << bytes;
    EXPECT_EQ(parser.request().header("Host"), host);
  }
}

TEST(RequestParser, FailuresHaveTheirStatus) {
  const std::string start = "POST / HTTP/1.1\r\nHost: t\r\n";
  EXPECT_EQ(failure_of("\x16\x03\x01"), 400U);
  EXPECT_EQ(failure_of("GET\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of("GET / HTTX/1.1\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of("GET / HTTP/3.0\r\n\r\n"), 505U);
  EXPECT_EQ(failure_of("GET / HTTP/1.1\nHost: t\n\n"), 400U);
  EXPECT_EQ(failure_of("GET /%f HTTP/1.1\r\nHost: t\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of("GET / HTTP/1.1\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of(start + "Content-Length: x\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of(start + "Content-Length: -1\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of(start + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of(start + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of(start + "Transfer-Encoding: gzip\r\n\r\n"), 501U);
  EXPECT_EQ(failure_of(start + "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501U);
  EXPECT_EQ(failure_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400U);
  EXPECT_EQ(failure_of(start + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"), 400U);
}

TEST(RequestParser, ABodyOverTheLimitIsKnownAtItsLength) {
  const std::string start = "POST / HTTP/1.1\r\nHost: t\r\n";
  EXPECT_EQ(failure_of(start + "Content-Length: 101\r\n\r\n"), 413U);
  EXPECT_EQ(failure_of(start + "Content-Length: 100\r\n\r\n"), 0U);
  EXPECT_EQ(failure_of(start + "Transfer-Encoding: chunked\r\n\r\n65\r\n"), 413U);
  EXPECT_EQ(failure_of(start + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n64\r\n"), 413U);
}

TEST(RequestParser, HeadersOverTheLimitsAreRefused) {
  const std::string start = "GET / HTTP/1.1\r\nHost: t\r\n";
  EXPECT_EQ(failure_of(start + "X: " + std::string(kHeader, 'a')), 431U);
  EXPECT_EQ(failure_of("GET /" + std::string(kHeader, 'a')), 431U);
  std::string many = start;
  for (int i = 0; i < 200; ++i) many += "X: 1\r\n";
  EXPECT_EQ(failure_of(many + "\r\n"), 431U);
}

TEST(RequestParser, HeadersOverTheLimitAreRefusedHoweverTheyCome) {
  const std::string field = ": " + std::string(kHeader - 100, 'a') + "\r\nX";
  const std::string bytes = "GET / HTTP/1.1\r\nHost: t\r\nX" + field + field + ": y\r\n\r\n";
  for (const std::size_t step : {1U, 10U, 1000U, 16000U, 40000U}) {
    RequestParser parser(kHeader, kBody);
    feed_in_steps(parser, bytes, step);
    ASSERT_TRUE(parser.failure()) << step;
    EXPECT_EQ(parser.failure()->status, 431U) << step;
    EXPECT_LE(parser.request().headers.size(), 2U) << step;
  }
  // Beast waits for the whole header only once three bytes of it are left over.
  RequestParser one_by_one(kHeader, kBody);
  std::string unread = "GET / HTTP/1.1\r\nHost: t\r\nX";
  for (int i = 0; i < 3; ++i) {
    unread.erase(0, one_by_one.feed(unread));
    unread += field;
  }
  ASSERT_TRUE(one_by_one.failure());
  EXPECT_EQ(one_by_one.failure()->status, 431U);
  EXPECT_LE(one_by_one.request().headers.size(), 3U);
  // One that just fits.
  std::string fits = "GET / HTTP/1.1\r\nHost: t\r\nX: ";
  fits += std::string(kHeader - fits.size() - 4, 'a') + "\r\n\r\n";
  for (const std::size_t step : {1U, 1000U, 40000U}) {
    RequestParser parser(kHeader, kBody);
    feed_in_steps(parser, fits, step);
    EXPECT_TRUE(parser.done()) << step;
    RequestParser over(kHeader - 1, kBody);
    feed_in_steps(over, fits, step);
    EXPECT_TRUE(over.failure()) << step;
  }
}

// RFC 9112 section 7.1: nothing bounds these lines but the reader.
TEST(RequestParser, WhatStandsAroundTheChunksIsBounded) {
  const std::string start = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string endless[] = {"5;a=" + std::string(kHeader, 'a'), std::string(kHeader + 1, '0'),
                                 "0\r\nX: " + std::string(kHeader, 'a'),
                                 "1\r\nx\r\n1;a=" + std::string(kHeader, 'a')};
  for (const std::string& line : endless) {
    EXPECT_EQ(failure_of(start + line), 431U) << line.substr(0, 12);
    RequestParser parser(kHeader, kBody);
    const std::size_t used = feed_in_steps(parser, start + line, 1000);
    ASSERT_TRUE(parser.failure()) << line.substr(0, 12);
    EXPECT_EQ(parser.failure()->status, 431U);
    EXPECT_LE((start + line).size() - used, kHeader + 1000);
  }
  // However it is cut: a whole one past the limit is refused like one that never ends.
  const std::string whole = start + "0\r\nX: " + std::string(kHeader, 'a') + "\r\n\r\n";
  EXPECT_EQ(failure_of(whole), 431U);
  EXPECT_EQ(failure_of(start + "1;a=" + std::string(kHeader, 'a') + "\r\nx\r\n0\r\n\r\n"), 431U);
  RequestParser parser(kHeader, kBody);
  parser.feed(start + "1;a=b\r\nx\r\n0;c=d\r\nX: " + std::string(kHeader - 100, 'a') + "\r\n\r\n");
  EXPECT_TRUE(parser.done());
  EXPECT_EQ(parser.request().body, "x");
}

}  // namespace
}  // namespace tars::net
