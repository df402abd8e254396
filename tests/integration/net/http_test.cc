#include <gtest/gtest.h>

#include "test_server.h"

namespace tars::net::testing {
namespace {

TEST(Http, AnswersWithTheServersOwnHeaders) {
  TestServer t;
  auto client = t.client();
  const auto r = client.get("/a%20b?x=1+2&y=%C3%A9");
  EXPECT_EQ(r.status, 200U);
  EXPECT_EQ(r.body, "GET /a b x=1 2 y=\xC3\xA9");
  for (const auto* name :
       {"Content-Length: ", "Date: ", "Server: tars", "X-Request-ID: ", "Connection: keep-alive"}) {
    EXPECT_TRUE(r.has(name)) << name << " in " << r.head;
  }
}

TEST(Http, KeepsTheConnectionAfterNotFound) {
  TestServer t;
  auto client = t.client();
  EXPECT_EQ(client.get("/missing").status, 404U);
  EXPECT_EQ(client.get("/there").body, "GET /there");
  EXPECT_EQ(t.server.open_connections(), 1U);
}

TEST(Http, EchoesASaneRequestIdOnly) {
  TestServer t;
  auto client = t.client();
  EXPECT_TRUE(client.ask("GET / HTTP/1.1\r\nHost: t\r\nX-Request-ID: abc-1\r\n\r\n")
                  .has("X-Request-ID: abc-1\r\n"));
  EXPECT_FALSE(client.ask("GET / HTTP/1.1\r\nHost: t\r\nX-Request-ID: a b\r\n\r\n").has("a b"));
}

TEST(Http, HeadIsAnsweredLikeGetWithoutBody) {
  TestServer t;
  auto client = t.client();
  client.send("HEAD /x HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto r = client.response(true);
  EXPECT_TRUE(r.has("Content-Length: 7\r\n")) << r.head;  // "HEAD /x"
  EXPECT_EQ(client.get("/next").body, "GET /next");
}

TEST(Http, NoContentHasNoLength) {
  TestServer t;
  auto client = t.client();
  EXPECT_FALSE(client.get("/empty").has("Content-Length"));
  EXPECT_EQ(client.get("/next").body, "GET /next");
}

TEST(Http, PipelinedRequestsAreAnsweredInOrder) {
  TestServer t;
  auto client = t.client();
  client.send(
      "GET /1 HTTP/1.1\r\nHost: t\r\n\r\nPOST /echo HTTP/1.1\r\nHost: t\r\n"
      "Content-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.response().body, "GET /1");
  EXPECT_EQ(client.response().body, "abc");
  EXPECT_EQ(client.response().body, "GET /3");
}

TEST(Http, ARequestInSinglesBytesIsReadToo) {
  TestServer t;
  auto client = t.client();
  for (const char c :
       std::string("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nok")) {
    client.send(std::string(1, c));
  }
  EXPECT_EQ(client.response().body, "ok");
}

TEST(Http, ChunkedBodyIsPutTogether) {
  TestServer t;
  auto client = t.client();
  const auto r = client.ask(
      "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: z\r\n\r\n");
  EXPECT_EQ(r.body, "abcde");
  EXPECT_EQ(client.get("/next").body, "GET /next");
}

TEST(Http, ExpectContinueIsAnsweredBeforeTheBody) {
  TestServer t;
  auto client = t.client();
  client.send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.response().status, 100U);
  client.send("hi");
  EXPECT_EQ(client.response().body, "hi");
}

TEST(Http, OldVersionClosesAfterTheAnswer) {
  TestServer t;
  auto client = t.client();
  const auto r = client.ask("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_EQ(r.body, "GET /old");
  EXPECT_TRUE(r.has("Connection: close"));
  EXPECT_TRUE(client.ends());
}

TEST(Http, ALargeAnswerArrivesWhole) {
  TestServer t;
  RawClient client(t.server.port(), 4096);
  const auto r = client.get("/big");
  EXPECT_EQ(r.body.size(), 8U << 20U);
  EXPECT_EQ(r.body.find_first_not_of('x'), std::string::npos);
  EXPECT_EQ(client.get("/next").body, "GET /next");
}

TEST(Http, AHandlersFaultIs500AndTheConnectionLives) {
  TestServer t;
  auto client = t.client();
  EXPECT_EQ(client.get("/throw").status, 500U);
  EXPECT_EQ(client.get("/next").body, "GET /next");
}

TEST(Http, HeadersCannotEndTheirLine) {
  TestServer t;
  auto client = t.client();
  const auto r = client.get("/inject");
  EXPECT_FALSE(r.has("X-Evil")) << r.head;
  EXPECT_TRUE(r.has("Content-Length: 11\r\n")) << r.head;
  EXPECT_EQ(r.body, "GET /inject");
}

struct BadRequest {
  const char* name;
  std::string bytes;
  unsigned status;
};

class BadRequests : public ::testing::TestWithParam<BadRequest> {};

TEST_P(BadRequests, AreRefusedAndClosed) {
  TestServer t;
  auto client = t.client();
  const auto r = client.ask(GetParam().bytes);
  EXPECT_EQ(r.status, GetParam().status);
  EXPECT_TRUE(r.has("application/problem+json"));
  EXPECT_TRUE(r.has("X-Request-ID: "));
  client.close();
  EXPECT_TRUE(t.settles_at(0));
  EXPECT_EQ(t.application.requests, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadRequests,
    ::testing::Values(
        BadRequest{"noise", "\x16\x03\x01\x02", 400},
        BadRequest{"no_version", "GET /\r\n\r\n", 400},
        BadRequest{"http2", "GET / HTTP/2.0\r\nHost: t\r\n\r\n", 505},
        BadRequest{"bad_escape", "GET /%zz HTTP/1.1\r\nHost: t\r\n\r\n", 400},
        BadRequest{"no_host", "GET / HTTP/1.1\r\n\r\n", 400},
        BadRequest{"unknown_encoding",
                   "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
        BadRequest{"both_lengths",
                   "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   400},
        BadRequest{"large_header",
                   "GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(17 * 1024, 'a') + "\r\n\r\n",
                   431},
        BadRequest{"endless_header", "GET /" + std::string(20 * 1024, 'a'), 431}),
    [](const auto& each) { return each.param.name; });

TEST(Http, TooLargeABodyIsToldWhileItIsStillComing) {
  TestServer t;
  auto client = t.client();
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 33554432\r\n\r\n");
  const std::string piece(1 << 20, 'x');
  // All of it, before the answer is read: the server has to go on taking it.
  for (int i = 0; i < 32; ++i) ASSERT_TRUE(client.send(piece)) << i;
  EXPECT_EQ(client.response().status, 413U);
  EXPECT_EQ(t.application.requests, 0);
}

TEST(Http, WhatNeedsNoBodyIsAnsweredBeforeIt) {
  TestServer t;
  const std::string post = "POST /missing HTTP/1.1\r\nHost: t\r\n";
  for (const char* rest :
       {"Content-Length: 1048576\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
        "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\n"}) {
    auto client = t.client();
    const auto r = client.ask(post + rest);
    EXPECT_EQ(r.status, 404U) << rest;
    EXPECT_TRUE(r.has("Connection: close")) << rest;
    EXPECT_TRUE(client.ends());
  }
}

TEST(Http, ABodyThatNobodyNeedsIsTakenBehindTheAnswer) {
  TestServer t;
  auto client = t.client();
  client.send("POST /missing HTTP/1.1\r\nHost: t\r\nContent-Length: 1048576\r\n\r\n");
  const std::string piece(1 << 16, 'x');
  // All of it, before the answer is read: no reset may take the answer away.
  for (int i = 0; i < 16; ++i) ASSERT_TRUE(client.send(piece)) << i;
  EXPECT_EQ(client.response().status, 404U);
}

TEST(Http, ABodyThatIsHereAlreadyKeepsTheConnection) {
  TestServer t;
  auto client = t.client();
  const auto r = client.ask("POST /missing HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_EQ(r.status, 404U);
  EXPECT_FALSE(r.has("Connection: close"));
  EXPECT_EQ(client.get("/next").body, "GET /next");
}

TEST(Http, TooLargeAChunkedBodyIsToldAtTheChunkThatCrosses) {
  ServerOptions options;
  options.max_body_bytes = 8;
  TestServer t(options);
  auto client = t.client();
  const auto r = client.ask(
      "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nabcde\r\n5\r\n");
  EXPECT_EQ(r.status, 413U);
}

TEST(Http, ABodyOfExactlyTheLimitIsTaken) {
  ServerOptions options;
  options.max_body_bytes = 8;
  TestServer t(options);
  auto client = t.client();
  EXPECT_EQ(client.ask("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 8\r\n\r\n12345678").body,
            "12345678");
}

}  // namespace
}  // namespace tars::net::testing
