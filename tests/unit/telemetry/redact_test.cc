#include <gtest/gtest.h>

#include "telemetry/log.h"

namespace tars::telemetry {
namespace {

TEST(Redact, TokensInQueriesDisappear) {
  EXPECT_EQ(redact_url("/ws/chat?token=abc"), "/ws/chat?token=[redacted]");
  EXPECT_EQ(redact_url("ws://h/ws/chat?a=1&token=abc.def.ghi&b=2#x"),
            "ws://h/ws/chat?a=1&token=[redacted]&b=2#x");
  EXPECT_EQ(redact_url("access_token=a&refresh_token=b&enrollment_key=c"),
            "access_token=[redacted]&refresh_token=[redacted]&enrollment_key=[redacted]");
}

TEST(Redact, ADisguisedNameIsSeenThrough) {
  EXPECT_EQ(redact_url("/x?TOKEN=abc"), "/x?TOKEN=[redacted]");
  EXPECT_EQ(redact_url("/x?tok%65n=abc"), "/x?tok%65n=[redacted]");
  EXPECT_EQ(redact_url("/x?a=1?token=abc"), "/x?a=1?token=[redacted]");
  EXPECT_EQ(redact_url("/x?token=a=b"), "/x?token=[redacted]");
}

TEST(Redact, ATokenInAPathDisappears) {
  EXPECT_EQ(redact_url("/eyJhbGciOi.eyJzdWIiOi.c2ln-_"), "/[redacted]");
  EXPECT_EQ(redact_url("/auth/devices/eyJh.eyJz.c2ln/x?a=eyJ"), "/auth/devices/[redacted]/x?a=eyJ");
  EXPECT_EQ(redact_url("/%65yJh.eyJz%2Ec2ln"), "/[redacted]");
  EXPECT_EQ(redact_url("/eyJh.eyJz/a.b.c/"), "/eyJh.eyJz/a.b.c/");
}

TEST(Redact, ATokenElsewhereDisappears) {
  for (const char* part :
       {"chat%3Ftoken=abc", "chat%3ftoken%3Dabc", "chat%253Ftoken%253Dabc", "token=abc",
        "x%26access_token=abc", "x:eyJh.eyJz.c2ln", "chat%253Fx=eyJh.eyJz%252Ec2ln"}) {
    EXPECT_EQ(redact_url("/ws/" + std::string(part) + "/y"), "/ws/[redacted]/y") << part;
  }
  EXPECT_EQ(redact_url("/ws/chat?jwt=eyJh.eyJz.c2ln&a=b"), "/ws/chat?[redacted]&a=b");
  EXPECT_EQ(redact_url("/x?authorization=Bearer%20eyJh.eyJz.c2ln"), "/x?[redacted]");
  EXPECT_EQ(redact_url("/eyJh.x/token/y%3Fa=b"), "/eyJh.x/token/y%3Fa=b");
}

TEST(Redact, OtherUrlsStayAsTheyAre) {
  for (const char* url :
       {"", "/", "/a?b=c&d", "/token", "/x?tokens=1", "/x?token", "?%", "/x?%6=1", "&&=&"}) {
    EXPECT_EQ(redact_url(url), url);
  }
}

}  // namespace
}  // namespace tars::telemetry
