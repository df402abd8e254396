#include "api/gateway.h"

#include "gateway_fixture.h"

namespace tars::api {
namespace {

using testing::GatewayFixture;
using Decision = std::variant<net::HttpResponse, net::Upgrade>;

class GatewayTest : public GatewayFixture {
 protected:
  Decision upgrade(net::HttpRequest asked) { return complete(gateway().upgrade(std::move(asked))); }
  unsigned refused(net::HttpRequest asked) {
    const Decision decision = upgrade(std::move(asked));
    const auto* response = std::get_if<net::HttpResponse>(&decision);
    return response != nullptr ? response->status : 0;
  }
  // Upgrades with this query token and runs what follows until nothing is ready.
  void connect(const std::string& token) {
    net::HttpRequest asked = request("GET", "/ws/chat");
    if (!token.empty()) asked.query = {{"token", token}};
    Decision decision = upgrade(std::move(asked));
    auto& accepted = std::get<net::Upgrade>(decision);
    boost::asio::co_spawn(io_, accepted.session(std::make_unique<testing::FakeSocket>(wire_)),
                          boost::asio::detached);
    settle();
  }
  void settle() {
    io_.restart();
    io_.poll();
  }
  void TearDown() override {
    wire_.end(net::CloseCode::abnormal);
    settle();
  }
  testing::Wire wire_{io_};
};

TEST_F(GatewayTest, EveryRouteHasASummaryAndAHandler) {
  EXPECT_GE(gateway().routes().size(), 13U);
  for (const Route& route : gateway().routes()) {
    EXPECT_FALSE(route.summary.empty()) << route.path;
    EXPECT_TRUE(route.handler) << route.path;
  }
}

TEST_F(GatewayTest, UnknownPathsAndMethods) {
  EXPECT_EQ(ask("GET", "/nope").status, 404U);
  EXPECT_EQ(body().at("code").as_string(), "NOT_FOUND");
  EXPECT_EQ(ask("PUT", "/health").status, 405U);
  EXPECT_EQ(header("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(ask("HEAD", "/health").status, 200U);
  EXPECT_EQ(ask("OPTIONS", "*").status, 204U) << "of the server and no path of it";
  EXPECT_EQ(ask("GET", "/ws/chat").status, 426U);
  EXPECT_EQ(header("X-Content-Type-Options"), "nosniff");
}

TEST_F(GatewayTest, Challenges) {
  EXPECT_EQ(ask("GET", "/auth/devices").status, 401U);
  EXPECT_EQ(header("WWW-Authenticate").find("error"), std::string::npos);
  EXPECT_EQ(ask("GET", "/auth/devices", bearer("bad")).status, 401U);
  EXPECT_NE(header("WWW-Authenticate").find("invalid_token"), std::string::npos);
  // An empty one was sent, and so were two.
  net::Headers two = bearer("good");
  two.push_back(two.front());
  for (const net::Headers& sent : {bearer(""), two}) {
    EXPECT_EQ(ask("GET", "/auth/devices", sent).status, 401U);
    EXPECT_NE(header("WWW-Authenticate").find("invalid_token"), std::string::npos);
  }
  EXPECT_EQ(ask("GET", "/auth/devices", bearer("refresh")).status, 401U);
  EXPECT_EQ(ask("GET", "/auth/devices", bearer("unreadable")).status, 503U);
  EXPECT_FALSE(header("Retry-After").empty());
}

TEST_F(GatewayTest, APageOfAnotherSiteSaysWhatItSends) {
  const auto enrol = [this](net::Headers headers) {
    headers.emplace_back("Host", "localhost");
    return ask("POST", "/auth/token", std::move(headers), R"({"client_id":"a"})").status;
  };
  const std::pair<std::string, std::string> foreign{"Origin", "https://evil.example"};
  EXPECT_EQ(enrol({foreign}), 415U);
  // That one asks first, and is told no.
  EXPECT_EQ(enrol({foreign, {"Content-Type", "application/json"}}), 200U);
  EXPECT_EQ(enrol({}), 200U) << "no page";
  EXPECT_EQ(enrol({{"Origin", "http://localhost"}}), 200U) << "our own page";
}

TEST_F(GatewayTest, TracesAndCors) {
  options_.cors_origins = {"https://app.example"};
  ask("GET", "/nope",
      {{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
       {"Origin", "https://app.example"}});
  EXPECT_EQ(body().at("trace_id").as_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_FALSE(header("traceparent").empty());
  EXPECT_EQ(header("Access-Control-Allow-Origin"), "https://app.example");
  const net::Headers preflight = {{"Origin", "https://app.example"},
                                  {"Access-Control-Request-Method", "POST"}};
  EXPECT_EQ(ask("OPTIONS", "/auth/token", preflight).status, 204U);
  EXPECT_EQ(header("Access-Control-Allow-Methods"), "POST, OPTIONS");
  ask("GET", "/health", {{"Origin", "https://evil.example"}});
  EXPECT_TRUE(header("Access-Control-Allow-Origin").empty());
}

TEST_F(GatewayTest, RefusesUpgradesBeforeTheHandshakeOnlyForPathOriginAndDrain) {
  EXPECT_EQ(refused(request("GET", "/ws/other")), 404U);
  EXPECT_EQ(
      refused(request("GET", "/ws/chat", {{"Host", "h"}, {"Origin", "https://evil.example"}})),
      403U);
  EXPECT_EQ(refused(request("GET", "/ws/chat")), 0U);
  gateway().begin_drain();
  EXPECT_EQ(refused(request("GET", "/ws/chat")), 503U);
}

TEST_F(GatewayTest, OtherResourcesIgnoreUpgrades) {
  EXPECT_TRUE(gateway().may_upgrade(request("GET", "/ws/chat")));
  EXPECT_TRUE(gateway().may_upgrade(request("GET", "/ws/other")));
  for (const char* path : {"/health", "/auth/token", "/auth/devices/x"}) {
    EXPECT_FALSE(gateway().may_upgrade(request("GET", path))) << path;
  }
}

TEST_F(GatewayTest, BadTokensAreCloseReasons) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "token_missing"}, {"bad", "token_invalid"}, {"refresh", "token_wrong_type"}};
  for (const auto& [token, reason] : cases) {
    wire_.ended.reset();
    connect(token);
    ASSERT_TRUE(wire_.we_closed) << token;
    EXPECT_EQ(wire_.we_closed->code, net::CloseCode::policy_violation);
    EXPECT_EQ(wire_.we_closed->reason, reason);
  }
  EXPECT_TRUE(wire_.sent.empty());
  wire_.ended.reset();
  connect("unreadable");
  EXPECT_EQ(wire_.we_closed->code, net::CloseCode::try_again_later);
}

TEST_F(GatewayTest, TooManyConnectionsClose1013) {
  options_.max_connections = 0;
  connect("good");
  ASSERT_TRUE(wire_.we_closed);
  EXPECT_EQ(wire_.we_closed->code, net::CloseCode::try_again_later);
}

TEST_F(GatewayTest, ARevocationReachesSocketsAndEngine) {
  connect("good");
  EXPECT_EQ(gateway().open_sockets(), 1U);
  tokens_.listener({"me", "fam", ""});
  settle();
  EXPECT_EQ(engine_.revoked_family, "fam");
  EXPECT_TRUE(wire_.told("TOKEN_REVOKED"));
  EXPECT_EQ(gateway().open_sockets(), 0U);
}

TEST_F(GatewayTest, ErrorsOfTheHttpLayerAreProblemsWithoutTheQuery) {
  net::HttpRequest request;
  request.target = "/auth/token?token=secret";
  request.request_id = "req-2";
  request.headers = {{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}};
  const auto response = gateway().error_response(413, "too big", request);
  EXPECT_EQ(response.status, 413U);
  EXPECT_EQ(response.body.find("secret"), std::string::npos);
  EXPECT_NE(response.body.find("PAYLOAD_TOO_LARGE"), std::string::npos);
  EXPECT_EQ(net::find_header(response.headers, "Cache-Control"), "no-store");
  EXPECT_TRUE(net::find_header(response.headers, "X-Content-Type-Options"));
  EXPECT_TRUE(net::find_header(response.headers, "traceparent")
                  ->starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
}

}  // namespace
}  // namespace tars::api
