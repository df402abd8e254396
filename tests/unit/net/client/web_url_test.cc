#include "net/client/web_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tars::net {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text) {
  const auto url = parse_web_url(text);
  return url ? "no error" : url.error().message;
}

TEST(WebUrl, IsServerAndTarget) {
  const WebUrl url =
      parse_web_url("https://models.example:8443/a/b%20c.gguf?x=1&y=%2F#part").value();
  EXPECT_TRUE(url.endpoint.secure);
  EXPECT_EQ(url.endpoint.host, "models.example");
  EXPECT_EQ(url.endpoint.port, 8443);
  EXPECT_EQ(url.endpoint.base_path, "");
  EXPECT_EQ(url.target, "/a/b%20c.gguf?x=1&y=%2F");
  EXPECT_EQ(url.text, "https://models.example:8443/a/b%20c.gguf?x=1&y=%2F");
  EXPECT_EQ(url.file_name, "b c.gguf");
}

TEST(WebUrl, AnEmptyPathIsTheRoot) {
  const WebUrl url = parse_web_url("http://[::1]:80").value();
  EXPECT_EQ(url.endpoint.host, "::1");
  EXPECT_EQ(url.target, "/");
  EXPECT_EQ(url.file_name, "");
}

TEST(WebUrl, RefusesWhatItCannotFetch) {
  EXPECT_THAT(error_of("ftp://h/x"), HasSubstr("http or https"));
  EXPECT_THAT(error_of("https://"), HasSubstr("http or https"));
  EXPECT_THAT(error_of("https://u:p@h/x"), HasSubstr("user name"));
  EXPECT_THAT(error_of("http://127.0.0.1:80:v1"), HasSubstr("is no URL"));
  EXPECT_THAT(error_of("https://u:hidden@h/x"), Not(HasSubstr("hidden")));
  EXPECT_THAT(error_of("/no/url"), HasSubstr("no URL"));
  EXPECT_THAT(error_of("http://h/a b"), HasSubstr("no URL"));
}

TEST(WebUrl, FollowsRedirects) {
  const WebUrl base = parse_web_url("https://h/a/b?q").value();
  EXPECT_EQ(follow(base, "c?r=1")->text, "https://h/a/c?r=1");
  EXPECT_EQ(follow(base, "/d")->text, "https://h/d");
  EXPECT_EQ(follow(base, "https://cdn.example/x")->endpoint.host, "cdn.example");
  EXPECT_EQ(follow(base, "//cdn.example/x")->text, "https://cdn.example/x");
}

TEST(WebUrl, NeverFromHttpsToHttp) {
  const auto down = follow(parse_web_url("https://h/a").value(), "http://h/a");
  ASSERT_FALSE(down);
  EXPECT_THAT(down.error().message, HasSubstr("an https server led there"));
  EXPECT_TRUE(follow(parse_web_url("http://h/a").value(), "https://h/a"));
  EXPECT_FALSE(follow(parse_web_url("http://h/a").value(), "ht tp://h"));
}

}  // namespace
}  // namespace tars::net
