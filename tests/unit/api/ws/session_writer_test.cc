// The writing half: tokens, ends, positions, several runs.
#include "session_fixture.h"

namespace tars::api {
namespace {

using testing::SessionFixture;
constexpr const char* kChat = R"({"type":"chat","content":"Hi","conversation_id":"c1"})";

class SessionWrites : public SessionFixture {};

TEST_F(SessionWrites, OneFrameForAllThatIsNew) {
  open();
  say(kChat);
  run().start(3, 0, {});
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

TEST_F(SessionWrites, SeveralRunsTakeTurns) {
  open();
  say(kChat);
  say(kChat);
  for (int i = 0; i < 2; ++i) {
    run(static_cast<std::size_t>(i)).start(1, 0, {});
    run(static_cast<std::size_t>(i)).append("x", {});
    run(static_cast<std::size_t>(i)).wake();
  }
  settle();
  EXPECT_TRUE(wire_.told(R"("run_id":"run_0")"));
  EXPECT_TRUE(wire_.told(R"("run_id":"run_1")"));
}

TEST_F(SessionWrites, ASlowReaderFallsBehindWithoutQueues) {
  open();
  say(kChat);
  wire_.stuck = true;
  run().start(1, 0, {});
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
