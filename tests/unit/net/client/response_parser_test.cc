#include "net/client/response_parser.h"

#include <gtest/gtest.h>

namespace tars::net {
namespace {

struct Parsed {
  ResponseParser parser;
  std::string body;
  Result<void> result;
};

// Fed as a socket would, `step` bytes at a time.
std::unique_ptr<Parsed> feed(std::string_view bytes, std::size_t step = 1 << 20) {
  auto out = std::make_unique<Parsed>();
  for (std::size_t at = 0; at < bytes.size() && out->result; at += step) {
    out->result = out->parser.feed(bytes.substr(at, step), out->body);
  }
  return out;
}

TEST(ResponseParser, ReadsChunksInPiecesOfAnySize) {
  const std::string bytes =
      "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;a=b\r\nhello\r\n7\r\n world\n\r\n0\r\nTrailer: x\r\n\r\n";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const auto p = feed(bytes, step);
    ASSERT_TRUE(p->result) << step << ' ' << p->result.error().message;
    EXPECT_EQ(p->body, "hello world\n") << step;
    EXPECT_TRUE(p->parser.done());
    EXPECT_TRUE(p->parser.keeps_alive());
    EXPECT_EQ(p->parser.head().status, 200U);
    EXPECT_EQ(p->parser.head().header("content-type"), "application/x-ndjson");
  }
}

TEST(ResponseParser, GivesTheBodyBeforeItsEnd) {
  const auto p = feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n9\r\nde");
  ASSERT_TRUE(p->result);
  EXPECT_EQ(p->body, "abcde");
  EXPECT_FALSE(p->parser.done());
  EXPECT_FALSE(p->parser.finish());
}

TEST(ResponseParser, PassesOverInterimAnswersInPiecesOfAnySize) {
  const std::string bytes =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
      "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    const auto p = feed(bytes, step);
    ASSERT_TRUE(p->result) << step << ' ' << p->result.error().message;
    EXPECT_EQ(p->parser.head().status, 404U);
    EXPECT_EQ(p->body, "no") << step;
    EXPECT_TRUE(p->parser.done()) << step;
  }
}

TEST(ResponseParser, ABodyWithoutLengthGoesOnUntilThePeerCloses) {
  const auto p = feed("HTTP/1.1 200 OK\r\n\r\nabc");
  EXPECT_FALSE(p->parser.done());
  EXPECT_TRUE(p->parser.finish());
  EXPECT_TRUE(p->parser.done());
  EXPECT_FALSE(p->parser.keeps_alive());
  EXPECT_EQ(p->body, "abc");
}

TEST(ResponseParser, ClosesWhenToldTo) {
  EXPECT_FALSE(feed("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                   ->parser.keeps_alive());
  EXPECT_FALSE(feed("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")->parser.keeps_alive());
}

TEST(ResponseParser, RefusesWhatIsNoHttp) {
  for (const char* bytes : {"SSH-2.0-OpenSSH_9.2 and more\r\n\r\n", "HTTP/2 200 OK\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"}) {
    EXPECT_FALSE(feed(bytes)->result) << bytes;
  }
}

TEST(ResponseParser, AHeadOrALineWithoutEndIsRefused) {
  EXPECT_FALSE(feed("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'), 1000)->result);
  EXPECT_FALSE(
      feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;" + std::string(100'000, 'x'),
           1000)
          ->result);
  // Beast waits for the whole head only once three bytes of it are left over.
  const auto one_by_one = feed("HTTP/1.1 200 OK\r\nX");
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(one_by_one->result);
    one_by_one->result =
        one_by_one->parser.feed(": " + std::string(10'000, 'x') + "\r\nX", one_by_one->body);
  }
  EXPECT_FALSE(one_by_one->result);
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 200; ++i) many += "A: b\r\n";
  EXPECT_FALSE(feed(many + "\r\n")->result);
}

TEST(ResponseParser, AnEndBeforeTheHeadIsAnError) {
  EXPECT_FALSE(feed("HTTP/1.1 200 OK\r\nCont")->parser.finish());
  EXPECT_FALSE(feed("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab")->parser.finish());
}

}  // namespace
}  // namespace tars::net
