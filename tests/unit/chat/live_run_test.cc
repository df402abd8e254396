#include "chat/live_run.h"

#include <gtest/gtest.h>

#include "base/sha256.h"
#include "chat_fixture.h"

namespace tars::chat {
namespace {

using testing::complete;
using testing::live_run;

TEST(LiveRunTest, KnowsItsContentByHash) {
  EXPECT_EQ(live_run("r", "alice", "c", "hello")->content_hash, sha256_hex("hello"));
}

TEST(LiveRunTest, AWaitingRunEndsWhereItIsStopped) {
  SystemClock clock;
  auto run = live_run("r");
  EXPECT_TRUE(run->stop(clock));
  EXPECT_EQ(run->run->status(), RunStatus::cancelled);
  EXPECT_EQ(run->run->outcome()->finish_reason, "cancelled");
  EXPECT_FALSE(run->begin());
  EXPECT_FALSE(run->stop(clock));
}

TEST(LiveRunTest, AStartedRunIsToldToStop) {
  SystemClock clock;
  auto run = live_run("r");
  ASSERT_TRUE(run->begin());
  EXPECT_FALSE(run->begin());
  EXPECT_FALSE(run->stop_token().stop_requested());
  EXPECT_FALSE(run->stop(clock));
  EXPECT_TRUE(run->stop_token().stop_requested());
  EXPECT_FALSE(run->run->outcome());
  EXPECT_TRUE(run->end(complete(), clock));
  EXPECT_FALSE(run->end(complete("length"), clock));
  EXPECT_EQ(run->run->outcome()->finish_reason, "stop");
}

TEST(LiveRunTest, PutBackWaitsAgainUnlessItWasStopped) {
  SystemClock clock;
  auto run = live_run("r");
  run->begin();
  EXPECT_TRUE(run->put_back(clock));
  EXPECT_TRUE(run->begin());
  run->stop(clock);
  EXPECT_FALSE(run->put_back(clock));
  EXPECT_EQ(run->run->status(), RunStatus::cancelled);
}

TEST(LiveRunTest, EndSaysHowLongItTook) {
  testing::ShiftedClock clock;
  RunInfo info = testing::run_info("r");
  info.submitted_at = clock.steady();
  LiveRun run(std::move(info), {});
  clock.advance(std::chrono::seconds(2));
  run.end(complete(), clock);
  EXPECT_GE(run.run->outcome()->latency_ms, 2000);
}

TEST(LiveRunTest, OneFromTheStoreHasEnded) {
  SystemClock clock;
  auto run = std::make_shared<chat::Run>(testing::run_info("r"));
  run->append("a", SteadyTime{});
  run->finish(complete());
  LiveRun live(run, "hash");
  EXPECT_FALSE(live.begin());
  EXPECT_FALSE(live.stop(clock));
  EXPECT_TRUE(live.stored.ended);
  EXPECT_EQ(live.stored.tokens, 1u);
}

TEST(LiveRunTest, IsAbandonedUntilAdopted) {
  auto run = live_run("r");
  EXPECT_FALSE(run->abandoned_until());
  run->abandon(SteadyTime(std::chrono::seconds(5)));
  EXPECT_EQ(run->abandoned_until(), SteadyTime(std::chrono::seconds(5)));
  run->adopt();
  EXPECT_FALSE(run->abandoned_until());
}

}  // namespace
}  // namespace tars::chat
