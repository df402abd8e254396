#include "api/ws/session.h"

#include "session_fixture.h"

namespace tars::api {
namespace {

using testing::SessionFixture;
constexpr const char* kChat =
    R"({"type":"chat","content":"Hi","conversation_id":"c1","message_id":"m1"})";

class SessionReads : public SessionFixture {};

TEST_F(SessionReads, AcknowledgesFirst) {
  open();
  ASSERT_EQ(wire_.sent.size(), 1U);
  EXPECT_NE(wire_.sent[0].find("connection_ack"), std::string::npos);
}

// As by a server whose threads came back too late: the frames are destroyed where they wait.
TEST_F(SessionReads, WhatIsDestroyedBeforeItsEndIsNoLongerListed) {
  auto context = std::make_unique<boost::asio::io_context>();
  std::optional<testing::Wire> wire(std::in_place, *context);
  SessionInfo info;
  info.session_id = "ses_late";
  info.claims.client_id = "me";
  info.claims.good_until = unix_seconds(clock_.wall() + std::chrono::hours(1));
  auto session =
      std::make_shared<Session>(info, SessionServices{engine_, hub_, metrics_, clock_, options_},
                                std::make_unique<testing::FakeSocket>(*wire));
  ASSERT_TRUE(hub_.add(session));
  boost::asio::co_spawn(*context, testing::run_session(session), boost::asio::detached);
  context->poll();
  const std::weak_ptr<Session> left = std::exchange(session, nullptr);
  ASSERT_EQ(hub_.size(), 1U);
  EXPECT_EQ(metrics_.websocket_connections.Value(), 1);
  wire.reset();  // its timer is the context's, too
  context.reset();
  EXPECT_EQ(hub_.size(), 0U);
  EXPECT_EQ(metrics_.websocket_connections.Value(), 0);
  EXPECT_TRUE(left.expired());
}

TEST_F(SessionReads, ErrorsLeaveTheSocketOpen) {
  open();
  say("{nope");
  say("[]");
  say(R"({"type":"nope"})");
  say(R"({"type":"chat","message_id":"m9"})");
  say(R"({"type":"cancel","run_id":"nope"})");
  say(R"({"type":"ping"})");
  EXPECT_TRUE(wire_.told("INVALID_JSON"));
  EXPECT_TRUE(wire_.told("INVALID_MESSAGE"));
  EXPECT_TRUE(wire_.told(R"("message_id":"m9")"));
  EXPECT_TRUE(wire_.told("RUN_NOT_FOUND"));
  EXPECT_TRUE(wire_.told(R"("type":"pong")"));
  EXPECT_FALSE(wire_.ended);
  EXPECT_EQ(session_->figures().errors, 5U);
  EXPECT_EQ(hub_.errors, 5U);
}

TEST_F(SessionReads, ChatCarriesItsTokenAndSampling) {
  open();
  say(R"({"type":"chat","content":"Hi","max_tokens":5,"on_disconnect":"finish"})");
  ASSERT_EQ(engine_.requests.size(), 1U);
  EXPECT_EQ(engine_.requests[0].client_id, "me");
  EXPECT_EQ(engine_.requests[0].family, "fam");
  EXPECT_EQ(engine_.requests[0].token_id, "tok");
  EXPECT_EQ(engine_.requests[0].sampling.max_tokens, 5);
  EXPECT_TRUE(engine_.requests[0].finish_on_disconnect);
  EXPECT_EQ(session_->figures().active_runs, 1U);
}

TEST_F(SessionReads, AChatWhileNothingCanBeStoredIsToldSoOnce) {
  open();
  const auto told = [&] {
    return std::ranges::count_if(wire_.sent, [](const std::string& frame) {
      return frame.find("Answers are not being stored: disk full") != frame.npos;
    });
  };
  const auto trouble = [&](const char* what) {
    hub_.set_store_trouble(what);
    settle();
  };
  trouble("disk full");
  EXPECT_EQ(told(), 0) << "nothing is asked here";
  say(kChat);
  EXPECT_EQ(told(), 1);
  say(kChat);
  trouble("disk full");
  EXPECT_EQ(told(), 1);
  trouble("");
  trouble("disk full");
  EXPECT_EQ(told(), 2) << "trouble that comes back is news";
}

TEST_F(SessionReads, RefusalsNameTheMessage) {
  open();
  engine_.refusal = Error{ErrorCode::overloaded, "busy", {}, std::chrono::seconds(2)};
  say(kChat);
  EXPECT_TRUE(wire_.told("OVERLOADED"));
  EXPECT_TRUE(wire_.told(R"("retry_after_s":2)"));
  EXPECT_TRUE(wire_.told(R"("message_id":"m1")"));
}

TEST_F(SessionReads, BinaryCloses1003) {
  open();
  wire_.hear("bytes", true);
  settle();
  ASSERT_TRUE(wire_.we_closed);
  EXPECT_EQ(wire_.we_closed->code, net::CloseCode::unsupported_data);
}

TEST_F(SessionReads, TooManyMessagesAreRefusedOneByOne) {
  options_.messages_per_second = 0;
  options_.message_burst = 2;
  open();
  for (int i = 0; i < 4; ++i) say(R"({"type":"ping"})");
  EXPECT_TRUE(wire_.told("RATE_LIMITED"));
  EXPECT_EQ(session_->figures().errors, 2U);
  EXPECT_FALSE(wire_.ended);
  say(R"({"type":"chat","content":"hi","message_id":"m7"})");
  EXPECT_TRUE(wire_.told(R"("message_id":"m7")")) << "which one it was";
  EXPECT_TRUE(engine_.requests.empty());
}

TEST_F(SessionReads, ClosingOnPurposeIsToldFromVanishing) {
  open();
  say(kChat);
  wire_.end(net::CloseCode::normal);
  settle();
  ASSERT_EQ(engine_.left.size(), 1U);
  EXPECT_EQ(engine_.left[0].how, chat::Leave::closed);
}

TEST_F(SessionReads, AClientThatClosesAndTakesNothingHasLeftAtOnce) {
  open();
  say(kChat);
  wire_.stuck = true;
  say(R"({"type":"ping"})");
  wire_.peer_closed = net::WsClosed{net::CloseCode::normal, ""};
  wire_.peer_closes();
  ASSERT_EQ(engine_.left.size(), 1U);
  EXPECT_EQ(engine_.left[0].how, chat::Leave::closed);
  settle();
  EXPECT_FALSE(wire_.ended);
  wire_.end(net::CloseCode::abnormal);
  settle();
  EXPECT_EQ(engine_.left.size(), 1U);
}

TEST_F(SessionReads, AVanishedSocketIsLost) {
  open();
  say(kChat);
  wire_.end(net::CloseCode::abnormal);
  settle();
  ASSERT_EQ(engine_.left.size(), 1U);
  EXPECT_EQ(engine_.left[0].how, chat::Leave::lost);
}

TEST_F(SessionReads, ResumeGoesOnFromTheOffset) {
  open();
  say(kChat);
  run().start(3, 0);
  for (const char* token : {"a", "b", "c"}) run().append(token, {});
  finish(run());
  wire_.sent.clear();
  say(R"({"type":"resume","run_id":"run_0","offset":1})");
  EXPECT_TRUE(wire_.told(R"("token":"bc")"));
  EXPECT_TRUE(wire_.told("complete"));
  say(R"({"type":"resume","run_id":"run_0","offset":4})");
  EXPECT_TRUE(wire_.told("INVALID_MESSAGE"));
}

TEST_F(SessionReads, ResumeFindsTheRunOfAMessage) {
  open();
  say(R"({"type":"chat","content":"hi","message_id":"m1"})");
  run().start(3, 0);
  run().append("first", {});
  finish(run());
  wire_.sent.clear();
  say(R"({"type":"resume","message_id":"m1"})");
  EXPECT_TRUE(wire_.told(R"("token":"first")"));
  EXPECT_TRUE(wire_.told("complete"));
  say(R"({"type":"resume","message_id":"another"})");
  EXPECT_TRUE(wire_.told("RUN_NOT_FOUND"));
}

TEST_F(SessionReads, ResumePastWhatACrashLeftIsLostHistory) {
  open();
  say(kChat);
  run().start(3, 0);
  run().append("stored", {});
  chat::Outcome outcome;
  outcome.status = chat::RunStatus::interrupted;
  outcome.error = make_error(ErrorCode::history_lost, "the server stopped");
  run().finish(outcome);
  run().wake();
  settle();
  wire_.sent.clear();
  say(R"({"type":"resume","run_id":"run_0","offset":9})");
  EXPECT_TRUE(wire_.told("HISTORY_LOST"));
  EXPECT_FALSE(wire_.told("INVALID_MESSAGE"));
  EXPECT_FALSE(wire_.told("stored"));
}

TEST_F(SessionReads, FollowedRunsAreBounded) {
  options_.max_followed_runs = 1;
  open();
  say(kChat);
  say(kChat);
  EXPECT_TRUE(wire_.told("OVERLOADED"));
  EXPECT_TRUE(wire_.told(R"("retry_after_s":1)"));
  EXPECT_EQ(engine_.requests.size(), 1U);
}

}  // namespace
}  // namespace tars::api
