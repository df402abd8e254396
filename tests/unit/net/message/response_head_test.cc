#include "net/message/response_head.h"

#include <gtest/gtest.h>

namespace tars::net {
namespace {

TEST(ResponseHead, HasTheServersHeaders) {
  std::string out;
  const HttpResponse response{200, {{"Content-Type", "text/plain"}}, "hello"};
  EXPECT_EQ(append_response_head(out, response, {"DATE", "req-1", true}), 0U);
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nDate: DATE\r\n"
            "Server: tars\r\nX-Request-ID: req-1\r\nConnection: keep-alive\r\n\r\n");
}

TEST(ResponseHead, CountsTheBodyThatIsSent) {
  std::string out;
  HttpResponse response;
  response.constant_body = "shared";
  EXPECT_EQ(response.content(), "shared");
  append_response_head(out, response, {"DATE", "", true});
  EXPECT_NE(out.find("Content-Length: 6\r\n"), std::string::npos) << out;
}

TEST(ResponseHead, TheApplicationCannotReplaceThem) {
  std::string out;
  const HttpResponse response{404,
                              {{"content-length", "9"},
                               {"Connection", "x"},
                               {"server", "x"},
                               {"Transfer-Encoding", "chunked"},
                               {"date", "x"},
                               {"x-request-id", "x"}},
                              ""};
  EXPECT_EQ(append_response_head(out, response, {"DATE", "", false}), 0U);
  EXPECT_EQ(out,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nDate: DATE\r\nServer: tars\r\n"
            "Connection: close\r\n\r\n");
}

TEST(ResponseHead, HeadersThatWouldEndTheirLineAreLeftOut) {
  std::string out;
  const HttpResponse response{
      200, {{"A", "1\r\nEvil: 1"}, {"B\r\nEvil", "1"}, {"", "1"}, {"C", "\n"}, {"Good", "1"}}, ""};
  EXPECT_EQ(append_response_head(out, response, {"DATE", "id\r\nEvil: 1", true}), 4U);
  EXPECT_EQ(out.find("Evil"), std::string::npos);
  EXPECT_NE(out.find("Good: 1\r\n"), std::string::npos);
}

TEST(ResponseHead, SomeStatusesHaveNoBody) {
  for (const unsigned status : {101U, 204U, 304U}) {
    std::string out;
    append_response_head(out, HttpResponse{status, {}, "x"}, {"DATE", "", true});
    EXPECT_EQ(out.find("Content-Length"), std::string::npos) << status;
  }
  EXPECT_TRUE(status_has_body(200));
  EXPECT_TRUE(status_has_body(500));
}

TEST(ResponseHead, AnUnknownStatusStillMakesALine) {
  std::string out;
  append_response_head(out, HttpResponse{799, {}, ""}, {"DATE", "", true});
  EXPECT_TRUE(out.starts_with("HTTP/1.1 799 Unknown\r\n")) << out;
}

TEST(DateHeader, IsFormattedAsRfc9110Says) {
  DateHeader date;
  EXPECT_EQ(date.at(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(784111778), "Sun, 06 Nov 1994 08:49:38 GMT");
  EXPECT_EQ(date.at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace tars::net
