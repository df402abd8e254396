#include "chat/run_follower.h"

#include <gtest/gtest.h>

#include "chat_fixture.h"

namespace tars::chat {
namespace {

class RunFollowerTest : public ::testing::Test {
 protected:
  std::unique_ptr<RunFollower> follow() {
    return std::make_unique<RunFollower>(run_, mailbox_, clock_, std::chrono::seconds(30), [] {});
  }
  bool stopped() const { return run_->stop_token().stop_requested(); }

  SystemClock clock_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>(8);
  std::shared_ptr<LiveRun> run_ = testing::live_run("r");
};

TEST_F(RunFollowerTest, TheLastOneToCloseStops) {
  run_->begin();
  auto one = follow();
  auto two = follow();
  one->leave(Leave::closed);
  EXPECT_FALSE(stopped());
  two->leave(Leave::closed);
  EXPECT_TRUE(stopped());
}

TEST_F(RunFollowerTest, ALostOneAbandonsAndANewOneAdopts) {
  run_->begin();
  follow().reset();
  EXPECT_FALSE(stopped());
  EXPECT_TRUE(run_->abandoned_until());
  auto back = follow();
  EXPECT_FALSE(run_->abandoned_until());
  back->leave(Leave::lost);
  back->leave(Leave::closed);
  EXPECT_FALSE(stopped()) << "it leaves once";
}

TEST_F(RunFollowerTest, ARevokedOneStopsItsRunWhoeverElseFollows) {
  run_->begin();
  auto one = follow();
  auto two = follow();
  one->leave(Leave::revoked);
  EXPECT_TRUE(stopped());
}

TEST_F(RunFollowerTest, ARunThatIsToFinishStays) {
  ChatRequest request = testing::chat_request("alice", "x");
  request.finish_on_disconnect = true;
  run_ = std::make_shared<LiveRun>(testing::run_info("r"), std::move(request));
  run_->begin();
  follow()->leave(Leave::closed);
  follow()->leave(Leave::lost);
  EXPECT_FALSE(stopped());
  EXPECT_FALSE(run_->abandoned_until());
}

TEST_F(RunFollowerTest, StoppingAWaitingRunTellsTheWorkerAndTheFollowers) {
  testing::Waker waker;
  RunFollower one(run_, mailbox_, clock_, std::chrono::seconds(30), waker.callback());
  stop_run(run_, *mailbox_, clock_);
  EXPECT_EQ(waker.wakes(), 1u);
  EXPECT_EQ(one.run().status(), RunStatus::cancelled);
  EXPECT_EQ(mailbox_->take(std::chrono::hours(1)).ended.size(), 1u);
}

}  // namespace
}  // namespace tars::chat
