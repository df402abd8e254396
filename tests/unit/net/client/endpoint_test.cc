#include "net/client/endpoint.h"

#include <gtest/gtest.h>

namespace tars::net {
namespace {

std::string url_of(std::string_view text) {
  const auto endpoint = parse_endpoint(text, 11434);
  return endpoint ? endpoint->url() : "error: " + endpoint.error().message;
}

TEST(Endpoint, TakesWhatOperatorsWrite) {
  EXPECT_EQ(url_of("127.0.0.1"), "http://127.0.0.1:11434");
  EXPECT_EQ(url_of("gpu-box:8080"), "http://gpu-box:8080");
  EXPECT_EQ(url_of("http://gpu-box"), "http://gpu-box");
  EXPECT_EQ(url_of("https://api.example/v1/"), "https://api.example/v1");
  EXPECT_EQ(url_of("https://api.example:8443"), "https://api.example:8443");
  EXPECT_EQ(url_of("http://[::1]:11434"), "http://[::1]:11434");
}

TEST(Endpoint, TakesWhatOllamasOwnProgramsTake) {
  EXPECT_EQ(url_of(":8080"), "http://127.0.0.1:8080");
  EXPECT_EQ(url_of("http://:8080/x"), "http://127.0.0.1:8080/x");
  EXPECT_EQ(url_of("::1"), "http://[::1]:11434");
  EXPECT_EQ(url_of("::"), "http://[::1]:11434");
  EXPECT_EQ(url_of("http://::1/v1"), "http://[::1]/v1");
  EXPECT_EQ(url_of("\"gpu-box:8080\""), "http://gpu-box:8080");
  EXPECT_EQ(url_of(" 'gpu-box' "), "http://gpu-box:11434");
  EXPECT_EQ(url_of("gpu-box:"), "http://gpu-box:11434");
  EXPECT_EQ(url_of("HTTP://gpu-box"), "http://gpu-box");
}

TEST(Endpoint, AnAddressToListenOnBecomesOneToConnectTo) {
  EXPECT_EQ(url_of("0.0.0.0:11434"), "http://127.0.0.1:11434");
  EXPECT_EQ(url_of("http://[::]:11434"), "http://[::1]:11434");
}

TEST(Endpoint, RefusesWhatCannotBeAsked) {
  for (const char* text :
       {"", "ftp://x", "http://", "http://a%3ab", "h%6fst:1", "http://user:secret@host",
        "http://h/?a=b", "http://h/#f", "http://h:0", "http://h:99999", "not an address",
        "http://a:1,http://b:2", "http://a,b", "http://a/v1,http://b/v1", ":", "http://:", "\"\"",
        "a:b:c"}) {
    EXPECT_EQ(url_of(text).substr(0, 6), "error:") << text;
  }
}

TEST(Endpoint, TheHostHeaderLeavesOutTheUsualPort) {
  EXPECT_EQ(parse_endpoint("https://a", 1)->authority(), "a");
  EXPECT_EQ(parse_endpoint("http://a:443", 1)->authority(), "a:443");
  EXPECT_EQ(parse_endpoint("http://[::1]:80", 1)->authority(), "[::1]");
}

}  // namespace
}  // namespace tars::net
