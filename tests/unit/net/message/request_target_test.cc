#include "net/message/request_target.h"

#include <gtest/gtest.h>

namespace tars::net {
namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

TEST(RequestTarget, OriginFormIsDecoded) {
  const auto t = parse_request_target("/a%20b/%C3%A9+c?x=1&y=a+b%2Bc&flag&x=2&=v");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->path, "/a b/\xC3\xA9+c");
  EXPECT_EQ(t->query, (Query{{"x", "1"}, {"y", "a b+c"}, {"flag", ""}, {"x", "2"}, {"", "v"}}));
}

TEST(RequestTarget, AnEncodedQuestionMarkIsPartOfThePathAndAnEncodedSlashSeparatesNothing) {
  const auto t = parse_request_target("/a/b%3Fc");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->path, "/a/b?c");
  EXPECT_EQ(parse_request_target("/a%2Fb%20c")->path, "/a%2Fb%20c");
  EXPECT_TRUE(t->query.empty());
}

TEST(RequestTarget, AbsoluteFormAndAsterisk) {
  const auto absolute = parse_request_target("http://example.org:80/p?q=1");
  ASSERT_TRUE(absolute);
  EXPECT_EQ(absolute->path, "/p");
  EXPECT_EQ(absolute->query, (Query{{"q", "1"}}));
  EXPECT_EQ(absolute->authority, "example.org:80");
  EXPECT_EQ(parse_request_target("/p")->authority, "");
  EXPECT_EQ(parse_request_target("http://example.org")->path, "/");
  EXPECT_EQ(parse_request_target("*")->path, "*");
}

TEST(RequestTarget, BadOnesAreRefused) {
  for (const auto* bad : {"", "x", "/%", "/%2", "/%zz", "/?q=%g1", "/a b", "/\"", "/%00", "/?a=%00",
                          "/%ff", "/?%c3=1", "/#fragment", "example.org:443", "http://", "http:/p",
                          "http://user@example.org/"}) {
    const auto t = parse_request_target(bad);
    ASSERT_FALSE(t.has_value()) << bad;
    EXPECT_EQ(t.error().code, ErrorCode::invalid_request);
  }
}

TEST(RequestTarget, AHostIsANameOrAnAddressAndAPort) {
  for (const char* good : {"", "t", "example.org", "a_b.example:8000", "127.0.0.1:1", "[::1]:8000",
                           "[::1]", "xn--bcher-kva.example", "t:"}) {
    EXPECT_TRUE(is_host(good)) << good;
  }
  for (const char* bad : {"a b", "a b/c", "a/c", "user@t", "t:x", "t:1:2", "::1", "[::1", ":1",
                          "t?q", "t#f", "http://t",
                          "b\xC3\xBC"
                          "cher"}) {
    EXPECT_FALSE(is_host(bad)) << bad;
  }
}

}  // namespace
}  // namespace tars::net
