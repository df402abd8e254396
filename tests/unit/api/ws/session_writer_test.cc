// The writing half: tokens, ends, positions, several runs.
#include <boost/asio/post.hpp>

#include "session_fixture.h"

namespace tars::api {
namespace {

using namespace std::chrono_literals;
using testing::SessionFixture;
constexpr const char* kChat = R"({"type":"chat","content":"Hi","conversation_id":"c1"})";

class SessionWrites : public SessionFixture {};

TEST_F(SessionWrites, OneFrameForAllThatIsNew) {
  open();
  say(kChat);
  run().start(3, 0);
  run().append("Hello", {});
  run().append(" you", {});
  run().wake();
  settle();
  EXPECT_TRUE(wire_.told(R"("token":"Hello you")"));
  EXPECT_TRUE(wire_.told(R"("count":2)"));
  finish(run());
  EXPECT_TRUE(wire_.told(R"("total_tokens":2)"));
  EXPECT_EQ(session_->figures().active_runs, 0U);
  EXPECT_EQ(hub_.tokens, 2U);
}

TEST_F(SessionWrites, FailedRunsEndWithAnError) {
  open();
  say(kChat);
  finish(run(), chat::RunStatus::failed);
  EXPECT_TRUE(wire_.told("GENERATION_ERROR"));
  EXPECT_TRUE(wire_.told(R"("run_id":"run_0")"));
  EXPECT_FALSE(wire_.told("complete"));
}

TEST_F(SessionWrites, WaitingRunsAreToldTheirPositionOnEachChange) {
  open();
  say(kChat);
  run().set_position(2);
  run().wake();
  settle();
  run().wake();
  settle();
  EXPECT_TRUE(wire_.told(R"("position":2)"));
  const std::size_t frames = wire_.sent.size();
  run().set_position(1);
  run().wake();
  settle();
  EXPECT_EQ(wire_.sent.size(), frames + 1);
  EXPECT_TRUE(wire_.told(R"("position":1)"));
}

TEST_F(SessionWrites, AYoungRunIsToldItsPlaceWhenItHasWaitedLongEnough) {
  engine_.age = {};
  options_.queued_after = std::chrono::milliseconds(200);
  open();
  const auto begun = std::chrono::steady_clock::now();
  say(kChat);
  run().set_position(3);
  run().wake();
  settle();
  const auto looked = std::chrono::steady_clock::now();
  if (looked < begun + options_.queued_after) {
    EXPECT_FALSE(wire_.told("queued"));
  }
  // Nobody wakes it: its own timer does.
  io_.restart();
  while (!wire_.told("queued") && std::chrono::steady_clock::now() < begun + 10s) {
    io_.run_one_for(std::chrono::milliseconds(100));
  }
  EXPECT_TRUE(wire_.told(R"("position":3)"));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, options_.queued_after);
}

TEST_F(SessionWrites, HowLongARunHasWaitedIsByTheClockThatTheSessionWasGiven) {
  engine_.age = {};
  options_.queued_after = std::chrono::hours(1);
  open();
  say(kChat);
  run().set_position(3);
  run().wake();
  settle();
  EXPECT_FALSE(wire_.told("queued"));
  clock_.moved = std::chrono::hours(2);
  run().wake();
  settle();
  EXPECT_TRUE(wire_.told(R"("position":3)"));
}

// Each has more text than one frame takes.
TEST_F(SessionWrites, SeveralRunsTakeTurns) {
  open();
  say(kChat);
  say(kChat);
  for (std::size_t i = 0; i < 2; ++i) {
    run(i).start(1, 0);
    for (int token = 0; token < 4; ++token) run(i).append(std::string(16 * 1024, 'x'), {});
  }
  const std::size_t before = wire_.sent.size();
  run(0).wake();
  settle();
  std::string order;
  for (std::size_t i = before; i < wire_.sent.size(); ++i) {
    const bool first = wire_.sent[i].find(R"("run_id":"run_0")") != std::string::npos;
    order += first ? '0' : '1';
  }
  EXPECT_TRUE(order == "01010101" || order == "10101010") << order;
}

TEST_F(SessionWrites, ASlowReaderFallsBehindWithoutQueues) {
  open();
  say(kChat);
  wire_.stuck = true;
  run().start(1, 0);
  for (int i = 0; i < 1000; ++i) {
    run().append("t", {});
    run().wake();
    settle();
  }
  const std::size_t before = wire_.sent.size();
  wire_.stuck = false;
  wire_.incoming_ready.cancel();
  settle();
  EXPECT_LE(wire_.sent.size(), before + 3);
  EXPECT_EQ(session_->figures().tokens, 1000U);
}

// What a relay of another server does on the session's own thread.
class SessionWritesAtOnce : public SessionWrites {
 protected:
  void begin() {
    wire_.takes_now = true;
    open();
    say(kChat);
    run().start(1, 0);
    run().wake();
    settle();
  }
  // Frames sent before the append returned.
  std::size_t append(std::string text) {
    std::size_t sent = 0;
    boost::asio::post(io_, [this, &sent, &text] {
      const std::size_t before = wire_.sent.size();
      run().append(text, {});
      run().wake();
      sent = wire_.sent.size() - before;
    });
    settle();
    return sent;
  }
};

TEST_F(SessionWritesAtOnce, ATokenGoesOutInTheVeryWake) {
  begin();
  EXPECT_EQ(append("Hello"), 1U);
  EXPECT_EQ(append(" you"), 1U);
  EXPECT_TRUE(wire_.told(R"("token":" you","conversation_id":"c1","run_id":"run_0","offset":1)"));
  EXPECT_EQ(hub_.tokens, 2U);
  EXPECT_EQ(session_->figures().tokens, 2U);
  finish(run());
  EXPECT_TRUE(wire_.told(R"("total_tokens":2)"));
}

TEST_F(SessionWritesAtOnce, WhatTheSocketKeptIsFlushedBeforeTheNextToken) {
  begin();
  wire_.stuck = true;
  wire_.backed_up = true;
  EXPECT_EQ(append("a"), 0U);
  EXPECT_EQ(append("b"), 0U);
  wire_.stuck = false;
  wire_.incoming_ready.cancel();
  settle();
  EXPECT_EQ(wire_.flushes, 1);
  EXPECT_TRUE(wire_.told(R"("token":"ab")"));
  EXPECT_EQ(append("c"), 1U);
}

TEST_F(SessionWritesAtOnce, NotBehindAFrameThatWaits) {
  begin();
  wire_.stuck = true;
  session_->store_changed("careful");
  settle();
  EXPECT_EQ(append("after"), 0U);
  wire_.stuck = false;
  wire_.incoming_ready.cancel();
  settle();
  ASSERT_GE(wire_.sent.size(), 2U);
  EXPECT_NE(wire_.sent.end()[-2].find("careful"), std::string::npos);
  EXPECT_NE(wire_.sent.end()[-1].find("after"), std::string::npos);
}

TEST_F(SessionWritesAtOnce, NothingAfterARevocation) {
  begin();
  session_->revoke();
  settle();
  EXPECT_EQ(append("secret"), 0U);
  EXPECT_FALSE(wire_.told("secret"));
  EXPECT_TRUE(wire_.told("TOKEN_REVOKED"));
}

// A peer that was told of its fault and does not hang up: the socket takes nothing more, the reader
// waits for its end, and the run goes on to its own.
TEST_F(SessionWritesAtOnce, AfterAFailedWriteTheRunIsLeftAndNothingIsWritten) {
  begin();
  wire_.ending = true;
  EXPECT_EQ(append("lost"), 0U);
  ASSERT_EQ(engine_.left.size(), 1U) << "nobody waits for the peer";
  EXPECT_EQ(engine_.left[0].how, chat::Leave::lost);
  EXPECT_EQ(session_->figures().active_runs, 0U);
  wire_.ending = false;
  session_->store_changed("careful");
  settle();
  EXPECT_FALSE(wire_.told("careful")) << "no second writer";
}

// The end of a run comes in the very wake, and letting go of the run there would wait for ever.
TEST_F(SessionWritesAtOnce, AWakeNeverRunsTheWriterItself) {
  begin();
  wire_.ending = true;
  boost::asio::post(io_, [this] {
    run().append("lost", {});
    run().wake();
    run().append("more", {});
    run().wake();
  });
  settle();
  boost::asio::post(io_, [this] {
    run().finish({});
    run().wake();
  });
  settle();
  EXPECT_EQ(run().followers(), 0U);
}

TEST_F(SessionWrites, AFullControlQueueIsASlowConsumer) {
  options_.control_queue = 5;
  open();
  wire_.stuck = true;
  for (int i = 0; i < 10; ++i) say(R"({"type":"ping"})");
  wire_.stuck = false;
  wire_.incoming_ready.cancel();
  settle();
  ASSERT_TRUE(wire_.we_closed);
  EXPECT_EQ(wire_.we_closed->reason, "slow_consumer");
}

}  // namespace
}  // namespace tars::api
