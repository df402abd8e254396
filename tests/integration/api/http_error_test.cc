// Every status that the HTTP side answers with, as a problem document (RFC 9457).
#include <algorithm>
#include <vector>

#include "gateway_server.h"

namespace tars::api::testing {
namespace {

class HttpErrorTest : public GatewayServer {
 protected:
  static void is_problem(const RawResponse& response, unsigned status, std::string_view code) {
    ASSERT_EQ(response.status, status) << response.head;
    EXPECT_TRUE(response.has("Content-Type: application/problem+json")) << response.head;
    EXPECT_TRUE(response.has("X-Request-ID: ")) << response.head;
    const json::object problem = body(response);
    for (const char* member : {"type", "title", "detail", "instance", "code", "trace_id"}) {
      ASSERT_TRUE(problem.contains(member)) << member;
      EXPECT_TRUE(problem.at(member).is_string()) << member;
    }
    EXPECT_EQ(problem.at("status").as_int64(), status);
    EXPECT_EQ(problem.at("code").as_string(), code);
  }
};

TEST_F(HttpErrorTest, Statuses) {
  auth_.enrollment = auth::Enrollment::key;
  auth_.enrollment_key = "open sesame";
  start();
  is_problem(http("GET /nowhere"), 404, "NOT_FOUND");
  const RawResponse wrong_method = http("DELETE /auth/token");
  is_problem(wrong_method, 405, "METHOD_NOT_ALLOWED");
  EXPECT_TRUE(wrong_method.has("Allow: POST")) << wrong_method.head;
  const RawResponse bare = http("GET /auth/devices");
  is_problem(bare, 401, "UNAUTHORIZED");
  EXPECT_TRUE(bare.has("WWW-Authenticate: Bearer\r\n")) << bare.head;
  const RawResponse bad = http("GET /auth/devices", bearer("rubbish"));
  is_problem(bad, 401, "INVALID_TOKEN");
  EXPECT_TRUE(bad.has("WWW-Authenticate: Bearer error=\"invalid_token\"\r\n")) << bad.head;
  EXPECT_EQ(bad.body.find("rubbish"), std::string::npos) << "a token is never repeated";
  is_problem(post("/auth/token", R"({"client_id":"ann"})"), 403, "FORBIDDEN");
  is_problem(http("POST /auth/token", "Content-Type: text/plain\r\n", "{}"), 415,
             "UNSUPPORTED_MEDIA_TYPE");
  const RawResponse packed = http(
      "POST /auth/token", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", "{}");
  is_problem(packed, 415, "UNSUPPORTED_MEDIA_TYPE");
  EXPECT_TRUE(packed.has("Accept-Encoding: identity\r\n")) << packed.head;
  is_problem(http("GET /ws/chat"), 426, "UPGRADE_REQUIRED");
  is_problem(http("GET /ws/chat", "Upgrade: websocket\r\n"), 426, "UPGRADE_REQUIRED");
  is_problem(http("GET /x", "X: " + std::string(20'000, 'x') + "\r\n"), 431, "HEADERS_TOO_LARGE");
  is_problem(http("NONSENSE"), 400, "BAD_REQUEST");
}

TEST_F(HttpErrorTest, BodiesThatAreNoGood) {
  start();
  const std::string long_id(10'240, 'a');
  const std::pair<std::string, const char*> rows[] = {
      {"{", "INVALID_JSON"},
      {"[]", "INVALID_REQUEST"},
      {"{}", "INVALID_REQUEST"},
      {R"({"client_id":"a b"})", "INVALID_REQUEST"},
      {R"({"client_id":")" + long_id + "\"}", "INVALID_REQUEST"},
      {R"({"client_id":"a","device_name":")" + std::string(129, 'x') + "\"}", "INVALID_REQUEST"}};
  for (const auto& [sent, code] : rows) {
    const RawResponse response = post("/auth/token", sent);
    is_problem(response, 422, code);
    const json::object problem = body(response);
    const json::array& errors = problem.at("errors").as_array();
    ASSERT_FALSE(errors.empty()) << sent.substr(0, 40);
    EXPECT_FALSE(errors[0].at("field").as_string().empty());
    EXPECT_FALSE(errors[0].at("message").as_string().empty());
    EXPECT_TRUE(response.has("Cache-Control: no-store"));
  }
}

TEST_F(HttpErrorTest, RevokingWhatIsNoTokenIsNoError) {
  start();
  const std::string token = enroll().access_token;
  for (const char* sent : {R"({"token":""})", R"({"token":"rubbish"})", R"({"token":"a.b.c"})"}) {
    EXPECT_EQ(post("/auth/revoke", sent, bearer(token)).status, 200U) << sent;
  }
  EXPECT_EQ(http("GET /auth/devices", bearer(token)).status, 200U) << "the caller's own lives";
}

TEST_F(HttpErrorTest, ABodyThatIsTooLargeIsToldWhileItIsStillComing) {
  start();
  RawClient client(server_->port());
  client.send(
      "POST /auth/token HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
      "Content-Length: 104857600\r\n\r\n{\"client_id\":\"");
  is_problem(client.response(), 413, "PAYLOAD_TOO_LARGE");
  EXPECT_EQ(http("GET /health").status, 200U);
}

TEST_F(HttpErrorTest, WhatNoRouteTakesIsToldBeforeTheBody) {
  start();
  const std::string rest = " HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n";
  RawClient nowhere(server_->port());
  is_problem(nowhere.ask("POST /nowhere" + rest + "\r\n{"), 404, "NOT_FOUND");
  RawClient expecting(server_->port());
  is_problem(expecting.ask("PUT /auth/token" + rest + "Expect: 100-continue\r\n\r\n"), 405,
             "METHOD_NOT_ALLOWED");
  EXPECT_TRUE(expecting.ends());
}

TEST_F(HttpErrorTest, LargeBodiesOfManyAtOnceAre503) {
  start();
  const std::string large(1024 * 1024 - 1, ' ');
  const std::string head =
      "POST /auth/validate HTTP/1.1\r\nHost: test\r\nContent-Length: 1048576\r\n\r\n";
  std::vector<RawClient> clients;
  for (int i = 0; i < 70; ++i) {
    clients.emplace_back(server_->port());
    clients.back().send(head + large);
  }
  const auto is_answered = [](const RawClient& client) { return client.has_answer(); };
  for (int i = 0; i < 1000 && std::ranges::none_of(clients, is_answered); ++i)
    std::this_thread::sleep_for(10ms);
  RawClient small(server_->port());
  EXPECT_EQ(
      small.ask("POST /auth/validate HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{}").status,
      401U);
  int refused = 0;
  for (RawClient& client : clients) {
    client.send(" ");
    const RawResponse response = client.response();
    if (response.status == 401) continue;
    is_problem(response, 503, "UNAVAILABLE");
    EXPECT_TRUE(response.has("Retry-After: ")) << response.head;
    EXPECT_TRUE(response.has("Connection: close")) << response.head;
    ++refused;
  }
  EXPECT_GT(refused, 0);
  EXPECT_LE(refused, 6) << "64 MiB have room";
  EXPECT_EQ(clients[0].ask(head + large + " ").status, 401U) << "all was given back";
}

TEST_F(HttpErrorTest, SlowHeadersAre408) {
  net_.header_timeout = 1s;
  start();
  RawClient client(server_->port());
  client.send("GET /health HTTP/1.1\r\nHost:");
  is_problem(client.response(), 408, "REQUEST_TIMEOUT");
}

TEST_F(HttpErrorTest, TheRateLimitIsPerAddressAndSaysWhenToComeBack) {
  api_.auth_rate_per_minute = 2;
  start();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(post("/auth/token", R"({"client_id":"a"})").status, 200U);
  const RawResponse limited = post("/auth/token", R"({"client_id":"a"})");
  is_problem(limited, 429, "RATE_LIMITED");
  EXPECT_TRUE(limited.has("Retry-After: ")) << limited.head;
  RawClient other(server_->port(), 0, INADDR_LOOPBACK + 1);
  const RawResponse served = other.ask(
      "POST /auth/token HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
      "Content-Length: 17\r\n\r\n{\"client_id\":\"a\"}");
  EXPECT_EQ(served.status, 200U) << "127.0.0.2 has a limit of its own";
  EXPECT_EQ(http("GET /auth/health").status, 200U);
}

TEST_F(HttpErrorTest, AQueryTokenIsNeverRepeated) {
  start();
  const RawResponse response = http("GET /nowhere?token=secret-token");
  is_problem(response, 404, "NOT_FOUND");
  EXPECT_EQ(response.body.find("secret-token"), std::string::npos);
}

}  // namespace
}  // namespace tars::api::testing
