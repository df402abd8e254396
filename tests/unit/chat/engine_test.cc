#include "chat/engine.h"

#include <gtest/gtest.h>

#include <future>

#include "engine_fixture.h"

namespace tars::chat {
namespace {

class EngineTest : public testing::EngineTest {};

// The worker with a command in hand, which takes until release().
class BusyWorker {
 public:
  explicit BusyWorker(Engine& engine) {
    auto in_hand = std::make_shared<std::promise<void>>();
    engine.follow(
        "alice", {.run_id = "none", .message_id = {}}, [] {},
        [in_hand, released = released_.get_future().share()](const auto&) {
          in_hand->set_value();
          released.wait();
        });
    in_hand->get_future().wait();
  }
  void release() { released_.set_value(); }

 private:
  std::promise<void> released_;
};

TEST_F(EngineTest, AFileThatCannotBeOpenedIsAnError) {
  auto engine = Engine::open("/proc/no/chat.db", {}, *backend_, clock_, metrics_);
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, ErrorCode::store_unavailable);
}

TEST_F(EngineTest, CancelStopsTheModelInTheCallersThread) {
  open();
  auto follower = chat("alice", "hi");
  auto generation = backend_->generation(0);
  CancelTarget target;
  target.run_id = follower->run().info().id;
  engine_->cancel("alice", target, [](Result<void>) {});
  EXPECT_TRUE(generation->stop.stop_requested());
  EXPECT_EQ(end_of(*follower).status, RunStatus::cancelled);
}

TEST_F(EngineTest, RevokeStopsTheRunsOfAToken) {
  open();
  auto mine = chat("alice", "hi");
  ChatRequest request = testing::chat_request("alice", "other token");
  request.token_id = "other";
  auto other = submit(std::move(request));
  ASSERT_TRUE(other);
  engine_->revoke("alice", "family", "token");
  EXPECT_EQ(mine->run().status(), RunStatus::cancelled);
  EXPECT_FALSE((*other)->run().outcome());
  engine_->revoke("alice", "family", "");
  EXPECT_EQ((*other)->run().status(), RunStatus::cancelled);
}

TEST_F(EngineTest, DrainEndsWaitingRunsAndLetsRunningOnesFinish) {
  options_.running_per_client = 1;
  open();
  auto running = chat("alice", "one");
  auto waiting = chat("alice", "two");
  engine_->drain();
  EXPECT_EQ(end_of(*waiting).status, RunStatus::cancelled);
  EXPECT_FALSE(running->run().outcome());
  EXPECT_FALSE(engine_->is_drained());
  auto refused = submit(testing::chat_request("bob", "new"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::draining);
  auto generation = backend_->generation(0);
  generation->say("done");
  backend_->finish(*generation, llm::FinishReason::stop);
  EXPECT_EQ(end_of(*running).status, RunStatus::complete);
}

// What the worker has in hand when the drain begins may be a chat that it takes on.
TEST_F(EngineTest, NothingIsDrainedWhileTheWorkerHasACommandInHand) {
  open();
  BusyWorker worker(*engine_);
  engine_->drain();
  EXPECT_FALSE(engine_->is_drained());
  worker.release();
  settle();
  EXPECT_TRUE(engine_->is_drained());
}

// The worker in the place of one whose commit does not come back.
TEST_F(EngineTest, AWorkerThatHangsIsAStoreThatDoesNotAnswer) {
  open();
  BusyWorker worker(*engine_);
  EXPECT_TRUE(engine_->check_store());
  clock_.advance(std::chrono::seconds(6));
  const Result<void> stuck = engine_->check_store();
  worker.release();
  ASSERT_FALSE(stuck);
  EXPECT_EQ(stuck.error().code, ErrorCode::store_unavailable);
  EXPECT_NE(stuck.error().message.find("chats have waited"), std::string::npos)
      << stuck.error().message;
  settle();
  EXPECT_TRUE(engine_->check_store());
}

TEST_F(EngineTest, ShutdownKeepsWhatRunsAsPartial) {
  open();
  auto follower = chat("alice", "hi", "c1");
  backend_->generation(0)->say("half an answer");
  EXPECT_TRUE(engine_->shutdown());
  EXPECT_EQ(follower->run().status(), RunStatus::cancelled);
  auto refused = submit(testing::chat_request("bob", "late"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::draining);
  reopen();
  auto next = chat("alice", "go on", "c1");
  const auto messages = backend_->generation(0)->request.messages;
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[1].content, "half an answer");
}

TEST_F(EngineTest, AModelThatDoesNotStopIsLeftAlone) {
  backend_->answers_stop = false;
  open();
  auto follower = chat("alice", "hi");
  auto generation = backend_->generation(0);
  std::thread shutdown([&] { EXPECT_TRUE(engine_->shutdown()); });
  while (!follower->run().outcome()) {
    clock_.advance(std::chrono::seconds(20));
    static_cast<void>(cancel("alice", {}));
  }
  shutdown.join();
  EXPECT_EQ(follower->run().status(), RunStatus::failed);
  generation->say("too late");
  backend_->finish(*generation, llm::FinishReason::stop);
  EXPECT_EQ(follower->run().text(), "");
}

}  // namespace
}  // namespace tars::chat
