// What a revocation does to sockets and runs that live.
#include "gateway_server.h"

namespace tars::api::testing {
namespace {

class RevocationTest : public GatewayServer {
 protected:
  // The socket is told, then closed, within a second.
  static void ends(Device& device) {
    const auto begun = std::chrono::steady_clock::now();
    const json::object error = device.next("error");
    EXPECT_EQ(error.at("code").as_string(), "TOKEN_REVOKED");
    EXPECT_EQ(device.closed(), (Ending{1008, "token_revoked"}));
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s) << "the bound is one second";
  }
};

TEST_F(RevocationTest, EndsTheTokensSocketsAndStopsTheirRuns) {
  start();
  const auth::TokenPair pair = enroll();
  const auth::TokenPair other = enroll();
  Device one = connect(pair.access_token);
  Device two = connect(pair.access_token);
  Device stays = connect(other.access_token);
  one.say(kChat);
  const auto generation = model_->generation(0);
  ASSERT_EQ(http("POST /auth/revoke", bearer(pair.access_token)).status, 200U);
  EXPECT_TRUE(generation->stop.stop_requested()) << "before the answer is sent";
  ends(one);
  ends(two);
  EXPECT_TRUE(counts_closes(1008, 2));
  EXPECT_TRUE(stays.answers());
  EXPECT_EQ(knock(pair.access_token).closed(), (Ending{1008, "token_revoked"}));
  EXPECT_EQ(http("GET /auth/devices", bearer(pair.access_token)).status, 401U);
}

TEST_F(RevocationTest, AnotherTokensRunThatItFollowsGoesOn) {
  start();
  const auth::TokenPair pair = enroll();
  const auth::TokenPair other = enroll();
  Device owner = connect(other.access_token);
  owner.say(kChat);
  const auto generation = model_->generation(0);
  generation->say("one ");
  const json::object token = owner.next("token");
  Device follower = connect(pair.access_token);
  follower.say(R"({"type":"resume","offset":0,"run_id":")" +
               std::string(token.at("run_id").as_string()) + "\"}");
  follower.next("token");
  const std::string body = R"({"token":")" + pair.refresh_token + "\"}";
  ASSERT_EQ(post("/auth/revoke", body, bearer(pair.access_token)).status, 200U);
  ends(follower);
  EXPECT_FALSE(generation->stop.stop_requested());
  generation->say("two");
  EXPECT_EQ(owner.next("token").at("token").as_string(), "two");
  model_->finish(*generation, llm::FinishReason::stop);
  EXPECT_EQ(owner.next("complete").at("finish_reason").as_string(), "stop");
}

TEST_F(RevocationTest, ARunThatIsToFinishStopsAllTheSame) {
  start();
  const auth::TokenPair pair = enroll();
  Device device = connect(pair.access_token);
  device.say(R"({"type":"chat","content":"hi","on_disconnect":"finish"})");
  const auto generation = model_->generation(0);
  device.raw.send_close(1000);
  device.closed();
  ASSERT_EQ(http("POST /auth/revoke", bearer(pair.access_token)).status, 200U);
  EXPECT_TRUE(generation->stop.stop_requested());
}

TEST_F(RevocationTest, ADeletedDeviceAndAReusedRefreshTokenEndTheirFamily) {
  start();
  const auth::TokenPair pair = enroll();
  const std::string family = tokens_->verify_any(pair.access_token)->family;
  Device device = connect(pair.access_token);
  const auth::TokenPair own = enroll();
  EXPECT_EQ(http("DELETE /auth/devices/" + family, bearer(own.access_token)).status, 204U);
  ends(device);

  Device second = connect(own.access_token);
  const std::string spent = R"({"refresh_token":")" + own.refresh_token + "\"}";
  ASSERT_EQ(post("/auth/refresh", spent).status, 200U);
  EXPECT_TRUE(second.answers()) << "a refresh leaves the old access token";
  EXPECT_EQ(post("/auth/refresh", spent).status, 401U);
  ends(second);
}

TEST_F(RevocationTest, OfAnothersTokenHasNoEffect) {
  start();
  const auth::TokenPair pair = enroll("ann");
  Device device = connect(pair.access_token);
  const std::string body = R"({"token":")" + pair.refresh_token + "\"}";
  EXPECT_EQ(post("/auth/revoke", body, bearer(enroll("bob").access_token)).status, 200U);
  EXPECT_TRUE(device.answers());
}

}  // namespace
}  // namespace tars::api::testing
