// What time and other threads do to a session.
#include <algorithm>

#include "session_fixture.h"

namespace tars::api {
namespace {

using testing::SessionFixture;
constexpr const char* kChat = R"({"type":"chat","content":"Hi"})";

class SessionEnds : public SessionFixture {};

TEST_F(SessionEnds, HeartbeatIsAFrameAndAPing) {
  options_.heartbeat_interval = std::chrono::milliseconds(0);
  open();
  EXPECT_TRUE(wire_.told(R"("type":"ping")"));
  EXPECT_GE(wire_.pings, 1);
}

TEST_F(SessionEnds, SilenceEndsWithAWarning) {
  wire_.last_activity = std::chrono::steady_clock::now() - std::chrono::hours(1);
  open();
  EXPECT_TRUE(wire_.told("Connection timeout - please reconnect"));
  ASSERT_TRUE(wire_.we_closed);
  EXPECT_EQ(wire_.we_closed->code, net::CloseCode::going_away);
}

TEST_F(SessionEnds, AnExpiringTokenWarnsAMinuteBeforeAndOnce) {
  options_.heartbeat_interval = std::chrono::milliseconds(1);  // how often time is looked at
  const auto warnings = [this] {
    const auto looks = wire_.pings + 3;
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    io_.restart();
    while (wire_.pings < looks && !wire_.we_closed && std::chrono::steady_clock::now() < give_up) {
      io_.run_one_for(std::chrono::milliseconds(100));
    }
    EXPECT_TRUE(wire_.pings == looks || wire_.we_closed);
    return std::ranges::count_if(wire_.sent, [](const std::string& frame) {
      return frame.find("Token expires in") != frame.npos;
    });
  };
  open(std::chrono::seconds(61));
  EXPECT_EQ(warnings(), 0);
  clock_.now += std::chrono::seconds(1);
  EXPECT_EQ(warnings(), 1);
  EXPECT_TRUE(wire_.told("Token expires in 60 s"));
  EXPECT_TRUE(wire_.told(R"("level":"warning")"));
  clock_.now += std::chrono::seconds(59);
  EXPECT_EQ(warnings(), 1);
  EXPECT_FALSE(wire_.we_closed);
  clock_.now += std::chrono::seconds(1);
  EXPECT_EQ(warnings(), 1);
  ASSERT_TRUE(wire_.we_closed);
  EXPECT_EQ(wire_.we_closed->reason, "token_expired");
}

TEST_F(SessionEnds, ATokenThatExpiresWithinTheMinuteWarnsAtOnce) {
  open(std::chrono::seconds(30));
  EXPECT_TRUE(wire_.told("Token expires in 30 s"));
  EXPECT_FALSE(wire_.ended);
}

TEST_F(SessionEnds, AnExpiredTokenCloses) {
  open(std::chrono::seconds(-1));
  ASSERT_TRUE(wire_.we_closed);
  EXPECT_EQ(wire_.we_closed->code, net::CloseCode::policy_violation);
  EXPECT_EQ(wire_.we_closed->reason, "token_expired");
}

TEST_F(SessionEnds, RevocationStopsRunsTellsAndCloses) {
  open();
  say(kChat);
  hub_.revoke({"me", "fam", "other-token"});
  settle();
  EXPECT_FALSE(wire_.ended);
  hub_.revoke({"me", "fam", ""});
  settle();
  EXPECT_TRUE(wire_.told("TOKEN_REVOKED"));
  ASSERT_TRUE(wire_.we_closed);
  EXPECT_EQ(wire_.we_closed->reason, "token_revoked");
  ASSERT_EQ(engine_.left.size(), 1U);
  EXPECT_EQ(engine_.left[0].how, chat::Leave::revoked);
}

TEST_F(SessionEnds, RevocationOnlyLeavesTheRunOfAnotherToken) {
  open();
  chat::ChatRequest request;
  request.token_id = "another";
  engine_.submit(std::move(request), [] {}, [](auto) {});
  say(R"({"type":"resume","run_id":"run_0","offset":0})");
  session_->revoke();
  settle();
  ASSERT_TRUE(wire_.we_closed);
  EXPECT_EQ(wire_.we_closed->reason, "token_revoked");
  ASSERT_EQ(engine_.left.size(), 1U);
  EXPECT_EQ(engine_.left[0].how, chat::Leave::lost);
}

// The deadline that was armed while nothing was being written is half a minute away.
TEST_F(SessionEnds, AWriteThatBlocksIsLookedAtSoonAfterItBegan) {
  options_.slow_reader = std::chrono::milliseconds(100);
  open();
  wire_.stuck = true;
  say(R"({"type":"ping"})");
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  io_.restart();
  while (!wire_.we_closed && std::chrono::steady_clock::now() < give_up) {
    io_.run_one_for(std::chrono::milliseconds(100));
  }
  ASSERT_TRUE(wire_.we_closed);
  EXPECT_EQ(wire_.we_closed->code, net::CloseCode::try_again_later);
  EXPECT_EQ(wire_.we_closed->reason, "slow_consumer");
}

TEST_F(SessionEnds, DrainingWaitsForAnswers) {
  open();
  say(kChat);
  hub_.drain();
  settle();
  EXPECT_FALSE(wire_.ended);
  say(kChat);
  EXPECT_TRUE(wire_.told("BACKEND_UNAVAILABLE"));
  finish(run());
  EXPECT_TRUE(wire_.told("complete"));
  ASSERT_TRUE(wire_.we_closed);
  EXPECT_EQ(wire_.we_closed->code, net::CloseCode::going_away);
}

TEST_F(SessionEnds, DrainingClosesAnIdleSocketAtOnce) {
  open();
  hub_.drain();
  settle();
  ASSERT_TRUE(wire_.we_closed);
  EXPECT_EQ(wire_.we_closed->reason, "server_draining");
}

TEST_F(SessionEnds, ShutAndWarn) {
  open();
  say(kChat);
  hub_.set_store_trouble("disk full");
  settle();
  EXPECT_TRUE(wire_.told("disk full"));
  hub_.close_all(net::CloseCode::going_away, "server_shutdown");
  settle();
  ASSERT_TRUE(wire_.we_closed);
  EXPECT_EQ(wire_.we_closed->reason, "server_shutdown");
  ASSERT_EQ(engine_.left.size(), 1U);
  EXPECT_EQ(engine_.left[0].how, chat::Leave::lost);
}

}  // namespace
}  // namespace tars::api
