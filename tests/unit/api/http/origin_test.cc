#include "api/http/origin.h"

#include <gtest/gtest.h>

namespace tars::api {
namespace {

net::HttpRequest from(const char* origin, const char* host = "tars.local:8000",
                      bool secure = false) {
  net::HttpRequest request;
  request.headers = {{"Host", host}, {"Origin", origin}};
  request.secure = secure;
  return request;
}

TEST(OriginPolicy, SameOriginIsSchemeHostAndPort) {
  const OriginPolicy policy({}, false);
  EXPECT_TRUE(policy.admits(net::HttpRequest{}));
  EXPECT_TRUE(policy.admits(from("http://tars.local:8000")));
  EXPECT_TRUE(policy.admits(from("http://TARS.local:8000")));
  EXPECT_TRUE(policy.admits(from("https://tars.local", "tars.local", true)));
  EXPECT_TRUE(policy.admits(from("http://[::1]:8000", "[::1]:8000")));
  for (const char* bad :
       {"http://tars.local", "http://tars.local:8001", "https://tars.local:8000", "null", "",
        "http://tars.local.evil.example:8000", "http://tars.local:8000@evil.example",
        "http://evil.example/?http://tars.local:8000"}) {
    EXPECT_FALSE(policy.admits(from(bad))) << bad;
  }
}

TEST(OriginPolicy, ListedOriginsAndTheStar) {
  const OriginPolicy listed({"https://app.example"}, false);
  EXPECT_TRUE(listed.admits(from("https://app.example:443")));
  EXPECT_FALSE(listed.admits(from("https://app.example:444")));
  EXPECT_FALSE(OriginPolicy({"*"}, false).admits(from("https://any.example")));
  EXPECT_TRUE(OriginPolicy({"*"}, true).admits(from("https://any.example")));
}

TEST(OriginPolicy, APageUnderAForeignNameIsRebound) {
  const OriginPolicy policy({"https://app.example"}, false);
  EXPECT_TRUE(policy.is_rebound(from("http://evil.example:8000", "evil.example:8000")));
  EXPECT_TRUE(policy.is_rebound(from("http://localhost.evil.example", "localhost.evil.example")));
  EXPECT_TRUE(policy.is_rebound(from("http://evil.example", "evil.example@127.0.0.1")));
  EXPECT_TRUE(policy.is_rebound(from("null", "evil.example")));
  EXPECT_TRUE(policy.is_rebound(from("http://127.0.0.1.evil.example", "127.0.0.1.evil.example")));
  for (const char* own : {"localhost:8000", "LocalHost", "tars.localhost:8000", "127.0.0.1:8000",
                          "[::1]:8000", "192.168.1.5"}) {
    EXPECT_FALSE(policy.is_rebound(from("http://elsewhere.example", own))) << own;
  }
  EXPECT_FALSE(policy.is_rebound(from("https://app.example", "evil.example"))) << "listed";
  net::HttpRequest no_browser;
  no_browser.headers = {{"Host", "tars.example"}};
  EXPECT_FALSE(policy.is_rebound(no_browser));
}

}  // namespace
}  // namespace tars::api
