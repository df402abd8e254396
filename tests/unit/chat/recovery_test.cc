#include "chat/recovery.h"

#include <gtest/gtest.h>

#include "chat_fixture.h"

namespace tars::chat {
namespace {

using testing::run_info;

class RecoveryTest : public ::testing::Test {
 protected:
  RecoveryTest() : repository_(*Repository::open(":memory:")) {}

  std::shared_ptr<LiveRun> restored(const std::string& id, std::chrono::hours later = {}) {
    auto stored = repository_.find_run("alice", id);
    auto run = restore_run(repository_, **std::move(stored), std::chrono::hours(24),
                           clock_.wall() + later);
    return run ? *run : nullptr;
  }

  SystemClock clock_;
  Repository repository_;
};

TEST_F(RecoveryTest, ACutRunIsInterruptedAndKeepsItsText) {
  ASSERT_TRUE(repository_.create_run(run_info("r1"), "q", "h"));
  ASSERT_TRUE(repository_.append_log("r1", {.text = "half", .first = 0, .count = 2}, {1, 3}));
  ASSERT_TRUE(repository_.create_run(run_info("r2"), "q2", "h"));
  EXPECT_EQ(*recover_runs(repository_, clock_), 2u);
  EXPECT_EQ(*recover_runs(repository_, clock_), 0u);
  auto run = restored("r1");
  EXPECT_EQ(run->run->status(), RunStatus::interrupted);
  EXPECT_EQ(run->run->outcome()->error->code, ErrorCode::history_lost);
  EXPECT_EQ(run->run->text(), "half");
  EXPECT_EQ(run->run->tokens(), 2u);
  EXPECT_EQ(run->content_hash, "h");
  auto turns = repository_.history("alice", "c", 1000);
  ASSERT_EQ(turns->size(), 1u) << "a run without text leaves no answer";
  EXPECT_EQ(turns->front().assistant, "half");
}

TEST_F(RecoveryTest, APrunedRunSaysSo) {
  ASSERT_TRUE(repository_.create_run(run_info("r1"), "q", "h"));
  ASSERT_TRUE(repository_.append_log("r1", {.text = "a", .first = 0, .count = 1}, {1}));
  ASSERT_TRUE(repository_.finish_run(run_info("r1"), testing::complete(), 1, "a", clock_.wall()));
  EXPECT_FALSE(restored("r1")->run->outcome()->error);
  ASSERT_TRUE(repository_.prune_logs(clock_.wall() + std::chrono::hours(1), 9));
  auto run = restored("r1");
  EXPECT_EQ(run->run->outcome()->error->code, ErrorCode::history_lost);
  EXPECT_EQ(run->run->tokens(), 0u);
}

// Also while its log is still there, which waits for a clock that can be trusted.
TEST_F(RecoveryTest, ARunPastItsRetentionSaysSo) {
  ASSERT_TRUE(repository_.create_run(run_info("r1"), "q", "h"));
  ASSERT_TRUE(repository_.append_log("r1", {.text = "a", .first = 0, .count = 1}, {1}));
  ASSERT_TRUE(repository_.finish_run(run_info("r1"), testing::complete(), 1, "a", clock_.wall()));
  auto run = restored("r1", std::chrono::hours(25));
  EXPECT_EQ(run->run->outcome()->error->code, ErrorCode::history_lost);
  EXPECT_EQ(run->run->tokens(), 0u);
  EXPECT_EQ(restored("r1", std::chrono::hours(23))->run->tokens(), 1u);
}

TEST_F(RecoveryTest, ARunWhoseEndWasNeverStoredIsNoRunningOne) {
  ASSERT_TRUE(repository_.create_run(run_info("r1"), "q", "h"));
  EXPECT_EQ(restored("r1")->run->status(), RunStatus::interrupted);
}

}  // namespace
}  // namespace tars::chat
