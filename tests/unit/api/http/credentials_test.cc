#include "api/http/credentials.h"

#include <gtest/gtest.h>

namespace tars::api {
namespace {

constexpr const char* kProtocols =
    "tars.v1, base64url.bearer.authorization.k8s.io.c3ViLXRva2Vu";  // sub-token

TEST(Credentials, BearerSchemeIgnoresCase) {
  net::HttpRequest request;
  EXPECT_FALSE(bearer_token(request));
  request.headers = {{"authorization", "bEARER   abc.def  "}};
  EXPECT_EQ(bearer_token(request), "abc.def");
  request.headers = {{"Authorization", "Basic abc"}};
  EXPECT_FALSE(bearer_token(request));
  request.headers = {{"Authorization", "Bearer"}};
  EXPECT_EQ(bearer_token(request), "");
  request.headers = {{"Authorization", "Bearer good"}, {"authorization", "Bearer other"}};
  EXPECT_EQ(bearer_token(request), "") << "which of them a proxy looked at is not known";
}

TEST(Credentials, HeaderThenSubprotocolThenQuery) {
  net::HttpRequest request;
  request.query = {{"token", "query-token"}};
  EXPECT_EQ(socket_credentials(request).token, "query-token");
  request.headers = {{"Sec-WebSocket-Protocol", kProtocols}};
  EXPECT_EQ(socket_credentials(request).token, "sub-token");
  EXPECT_EQ(socket_credentials(request).subprotocol, "tars.v1");
  request.headers.emplace_back("Authorization", "Bearer header-token");
  EXPECT_EQ(socket_credentials(request).token, "header-token");
  EXPECT_EQ(socket_credentials(request).subprotocol, "tars.v1");
}

TEST(Credentials, NothingSentIsNotTheSameAsNonsense) {
  net::HttpRequest request;
  EXPECT_FALSE(socket_credentials(request).sent);
  request.headers = {{"Sec-WebSocket-Protocol", "base64url.bearer.authorization.k8s.io.!!"}};
  const auto found = socket_credentials(request);
  EXPECT_TRUE(found.sent);
  EXPECT_TRUE(found.token.empty());
  EXPECT_TRUE(found.subprotocol.empty());
}

// One token has one spelling: padding and unused bits that are set are refused.
TEST(Credentials, TheSubprotocolHasOneSpelling) {
  const auto token_of = [](std::string_view encoded) {
    net::HttpRequest request;
    request.headers = {{"Sec-WebSocket-Protocol",
                        "base64url.bearer.authorization.k8s.io." + std::string(encoded)}};
    return socket_credentials(request).token;
  };
  EXPECT_EQ(token_of("-_8"), "\xfb\xff");
  EXPECT_EQ(token_of("YQ"), "a");
  for (const char* bad : {"", "Y", "YQ==", "YR", "YQ+/", "Y Q", "YQ=a"}) {
    EXPECT_EQ(token_of(bad), "") << bad;
  }
}

TEST(Credentials, ContentCodings) {
  net::HttpRequest request;
  request.body = "{}";
  EXPECT_FALSE(has_encoded_body(request));
  for (const char* plain : {"identity", " Identity", ""}) {
    request.headers = {{"content-encoding", plain}};
    EXPECT_FALSE(has_encoded_body(request)) << plain;
  }
  for (const char* coding : {"gzip", "GZIP", "identity, br", "x"}) {
    request.headers = {{"Content-Encoding", "identity"}, {"Content-Encoding", coding}};
    EXPECT_TRUE(has_encoded_body(request)) << coding;
  }
  request.body.clear();
  EXPECT_FALSE(has_encoded_body(request)) << "nothing is in no coding";
}

TEST(Credentials, JsonContentTypes) {
  net::HttpRequest request;
  EXPECT_TRUE(check_json_content_type(request));
  for (const char* good :
       {"application/json", "Application/JSON; charset=utf-8", "application/x+json"}) {
    request.headers = {{"Content-Type", good}};
    EXPECT_TRUE(check_json_content_type(request)) << good;
  }
  for (const char* bad : {"text/plain", "application/x-www-form-urlencoded", "", "json"}) {
    request.headers = {{"Content-Type", bad}};
    EXPECT_EQ(check_json_content_type(request).error().code, ErrorCode::unsupported_media_type)
        << bad;
  }
}

}  // namespace
}  // namespace tars::api
