#include "api/http/auth_routes.h"

#include "../gateway_fixture.h"

namespace tars::api {
namespace {

class AuthRoutesTest : public testing::GatewayFixture {};

TEST_F(AuthRoutesTest, TokenGivesAPairThatNoCacheKeeps) {
  EXPECT_EQ(post("/auth/token", R"({"client_id":"me","device_name":null})").status, 200U);
  EXPECT_EQ(body().at("access_token").as_string(), "access-me");
  EXPECT_EQ(body().at("token_type").as_string(), "bearer");
  EXPECT_EQ(body().at("expires_in").as_int64(), 86400);
  EXPECT_EQ(header("Cache-Control"), "no-store");
}

TEST_F(AuthRoutesTest, BadBodies) {
  for (const char* bad : {"", "{", "[]", "{}", R"({"client_id":5})", R"({"client_id":""})"}) {
    EXPECT_EQ(post("/auth/token", bad).status, 422U) << bad;
    EXPECT_EQ(header("Cache-Control"), "no-store");
  }
  const std::string long_id = R"({"client_id":")" + std::string(10'240, 'a') + "\"}";
  EXPECT_EQ(post("/auth/token", long_id).status, 422U);
  EXPECT_EQ(body().at("errors").at(0).at("field").as_string(), "client_id");
  EXPECT_EQ(ask("POST", "/auth/token", {{"Content-Type", "text/plain"}}, "{}").status, 415U);
  EXPECT_EQ(post("/auth/token", R"({"client_id":"a","enrollment_key":"wrong"})").status, 403U);
}

TEST_F(AuthRoutesTest, RateLimitPerAddress) {
  options_.auth_rate_per_minute = 2;
  for (int i = 0; i < 2; ++i) EXPECT_EQ(post("/auth/token", R"({"client_id":"a"})").status, 200U);
  EXPECT_EQ(post("/auth/refresh", R"({"refresh_token":"refresh"})").status, 429U);
  EXPECT_FALSE(header("Retry-After").empty());
  net::HttpRequest other = request("POST", "/auth/token", {{"Content-Type", "application/json"}},
                                   R"({"client_id":"a"})");
  other.remote_address = "127.0.0.2";
  EXPECT_EQ(complete(gateway().handle(other)).status, 200U) << "another address";
  // A whole /64 is one.
  other.remote_address = "2001:db8::1";
  EXPECT_EQ(complete(gateway().handle(other)).status, 200U);
  EXPECT_EQ(complete(gateway().handle(other)).status, 200U);
  other.remote_address = "2001:db8::2";
  EXPECT_EQ(complete(gateway().handle(other)).status, 429U);
  other.remote_address = "2001:db8:0:1::1";
  EXPECT_EQ(complete(gateway().handle(other)).status, 200U);
}

TEST_F(AuthRoutesTest, Refresh) {
  EXPECT_EQ(post("/auth/refresh", R"({"refresh_token":"refresh"})").status, 200U);
  EXPECT_EQ(body().at("access_token").as_string(), "a2");
  EXPECT_EQ(post("/auth/refresh", R"({"refresh_token":"access"})").status, 401U);
  EXPECT_EQ(body().at("detail").as_string(), "Invalid token type");
  EXPECT_NE(header("WWW-Authenticate").find("invalid_token"), std::string::npos);
  EXPECT_EQ(post("/auth/refresh", "{}").status, 422U);
}

TEST_F(AuthRoutesTest, Validate) {
  EXPECT_EQ(ask("POST", "/auth/validate", bearer("good")).status, 200U);
  EXPECT_TRUE(body().at("valid").as_bool());
  EXPECT_EQ(body().at("token_type").as_string(), "access");
  ask("POST", "/auth/validate", bearer("refresh"));
  EXPECT_EQ(body().at("token_type").as_string(), "refresh");
  EXPECT_EQ(ask("POST", "/auth/validate", bearer("bad")).status, 200U);
  EXPECT_FALSE(body().at("valid").as_bool());
  EXPECT_TRUE(body().at("client_id").is_null());
  EXPECT_EQ(ask("POST", "/auth/validate").status, 401U);
  EXPECT_EQ(ask("POST", "/auth/validate", bearer("unreadable")).status, 503U);
}

TEST_F(AuthRoutesTest, ValidateKnowsTheEndOfThePreviousKey) {
  auth::Claims claims = tokens_.known.at("good").value();
  claims.good_until = claims.expires_at - 1000;
  tokens_.known.emplace("old-key", claims);
  ask("POST", "/auth/validate", bearer("old-key"));
  EXPECT_EQ(body().at("exp").as_int64(), claims.good_until);
  EXPECT_EQ(body().at("expires_at").as_string(),
            format_rfc3339(WallTime{std::chrono::seconds{claims.good_until}}));
}

TEST_F(AuthRoutesTest, RevokeTakesTheBearersOwnOrAnother) {
  EXPECT_EQ(ask("POST", "/auth/revoke", bearer("good")).status, 200U);
  EXPECT_EQ(body().at("message").as_string(), "Token revoked successfully");
  EXPECT_EQ(tokens_.revoked, "good");
  EXPECT_EQ(post("/auth/revoke", R"({"token":"other"})", bearer("good")).status, 200U);
  EXPECT_EQ(tokens_.revoked, "other");
  EXPECT_EQ(ask("POST", "/auth/revoke").status, 401U);
  EXPECT_EQ(header("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(post("/auth/revoke", R"({"token":5})", bearer("good")).status, 422U);
}

// RFC 7009 section 2.2: what is no token of ours is gone already.
TEST_F(AuthRoutesTest, RevokingNoTokenAtAllEndsNothing) {
  tokens_.revoked = "untouched";
  EXPECT_EQ(post("/auth/revoke", R"({"token":""})", bearer("good")).status, 200U);
  EXPECT_EQ(body().at("message").as_string(), "Token revoked successfully");
  EXPECT_EQ(tokens_.revoked, "untouched") << "the empty token is not the caller's own";
  const std::string endless(100'000, 'x');
  EXPECT_EQ(post("/auth/revoke", "{\"token\":\"" + endless + "\"}", bearer("good")).status, 200U);
  EXPECT_EQ(tokens_.revoked, endless);
}

TEST_F(AuthRoutesTest, ADiskThatHangsIsAnswered503InTime) {
  options_.store_patience = std::chrono::milliseconds(1);
  tokens_.hangs = true;
  const net::Headers json{{"Content-Type", "application/json"}};
  const auto late = [&](const char* method, const char* path, std::string sent = {}) {
    std::optional<net::HttpResponse> out;
    const net::HttpRequest asked =
        request(method, path, sent.empty() ? bearer("good") : json, std::move(sent));
    boost::asio::co_spawn(io_, gateway().handle(asked),
                          [&out](std::exception_ptr, net::HttpResponse r) { out = std::move(r); });
    io_.restart();
    io_.run();
    last_ = out.value();
    EXPECT_EQ(last_.status, 503U) << path;
    EXPECT_EQ(body().at("code").as_string(), "STORE_UNAVAILABLE");
    EXPECT_FALSE(header("Retry-After").empty());
  };
  late("POST", "/auth/refresh", R"({"refresh_token":"refresh"})");
  late("POST", "/auth/revoke");
  late("GET", "/auth/devices");
  late("DELETE", "/auth/devices/fam");
  ASSERT_EQ(tokens_.unanswered.size(), 4U);
  for (const auto& answer : tokens_.unanswered) answer();
  io_.restart();
  io_.run();
}

TEST_F(AuthRoutesTest, AnUnreadableBodySaysWhatIsWrongWithIt) {
  for (const char* bad : {"[]", "5", "null", "{", ""}) {
    EXPECT_EQ(post("/auth/token", bad).status, 422U) << bad;
    ASSERT_EQ(body().at("errors").as_array().size(), 1U) << bad;
    EXPECT_EQ(body().at("errors").at(0).at("field").as_string(), "body");
    EXPECT_FALSE(body().at("errors").at(0).at("message").as_string().empty());
  }
}

TEST_F(AuthRoutesTest, DevicesInPages) {
  const auto sid = [](char c) { return "fam_" + std::string(26, c); };
  for (const char c : {'c', 'b', 'a'})
    tokens_.known_families.push_back({"", sid(c), "", "", {}, {}});
  net::HttpRequest first = request("GET", "/auth/devices", bearer("good"));
  first.query = {{"limit", "2"}};
  last_ = complete(gateway().handle(first));
  EXPECT_EQ(body().at("items").as_array().size(), 2U);
  EXPECT_EQ(body().at("next_cursor").as_string(), sid('b'));
  first.query.emplace_back("cursor", sid('b'));
  last_ = complete(gateway().handle(first));
  EXPECT_EQ(body().at("items").as_array().size(), 1U);
  EXPECT_TRUE(body().at("next_cursor").is_null());
  tokens_.known_families.erase(tokens_.known_families.begin() + 1);
  last_ = complete(gateway().handle(first));
  EXPECT_EQ(body().at("items").as_array().size(), 1U) << "the cursor's own device is gone since";
  first.query = {{"cursor", "b"}};
  EXPECT_EQ(complete(gateway().handle(first)).status, 422U);
  first.query = {{"limit", "101"}};
  EXPECT_EQ(complete(gateway().handle(first)).status, 422U);
}

TEST_F(AuthRoutesTest, AnIpv6NetworkIsOneCaller) {
  options_.auth_rate_per_minute = 1;
  const auto status_from = [this](const char* address) {
    net::HttpRequest mint = request("POST", "/auth/token");
    mint.remote_address = address;
    return complete(gateway().handle(mint)).status;
  };
  EXPECT_NE(status_from("2001:db8:0:1::1"), 429U);
  EXPECT_EQ(status_from("2001:db8:0:1:ffff::2"), 429U);
  EXPECT_NE(status_from("2001:db8:0:2::1"), 429U);
  EXPECT_NE(status_from("192.0.2.1"), 429U);
  EXPECT_NE(status_from("192.0.2.2"), 429U);
}

TEST_F(AuthRoutesTest, RemoveADevice) {
  EXPECT_EQ(ask("DELETE", "/auth/devices/fam", bearer("good")).status, 204U);
  EXPECT_EQ(ask("DELETE", "/auth/devices/other", bearer("good")).status, 404U);
}

}  // namespace
}  // namespace tars::api
