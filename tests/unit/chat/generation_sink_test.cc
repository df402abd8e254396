#include "chat/generation_sink.h"

#include <gtest/gtest.h>

#include "chat_fixture.h"

namespace tars::chat {
namespace {

class GenerationSinkTest : public ::testing::Test {
 protected:
  GenerationSinkTest() { run_->begin(); }

  SystemClock clock_;
  telemetry::Metrics metrics_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>(8);
  std::shared_ptr<LiveRun> run_ = testing::live_run("r");
  GenerationSink sink_{run_, mailbox_, clock_, metrics_};
};

TEST_F(GenerationSinkTest, AppendsAndWakesOncePerStep) {
  testing::Waker waker;
  run_->run->follow(waker.callback());
  sink_.on_start(7, 2);
  sink_.on_token("a");
  sink_.on_token("b");
  EXPECT_EQ(waker.wakes(), 0u);
  sink_.on_step_end();
  EXPECT_EQ(waker.wakes(), 1u);
  EXPECT_EQ(run_->run->text(), "ab");
  EXPECT_EQ(metrics_.time_to_first_token.Collect().histogram.sample_count, 1u);
  EXPECT_EQ(metrics_.inter_token.Collect().histogram.sample_count, 1u);
}

TEST_F(GenerationSinkTest, APauseIsNoTimeBetweenTokens) {
  sink_.on_start(7, 2);
  sink_.on_token("a");
  sink_.on_pause();
  sink_.on_token("b");
  EXPECT_EQ(metrics_.inter_token.Collect().histogram.sample_count, 0u);
  sink_.on_token("c");
  EXPECT_EQ(metrics_.inter_token.Collect().histogram.sample_count, 1u);
  EXPECT_EQ(metrics_.time_to_first_token.Collect().histogram.sample_count, 1u);
}

TEST_F(GenerationSinkTest, TheEndReachesTheWorkerBeforeTheFollowers) {
  std::size_t known_to_worker = 0;
  run_->run->follow(
      [&] { known_to_worker = mailbox_->take(std::chrono::seconds(0)).ended.size(); });
  sink_.on_token("a");
  sink_.on_done("!", llm::Completion{.reason = llm::FinishReason::length, .prompt_tokens = 9});
  EXPECT_EQ(known_to_worker, 1u);
  EXPECT_EQ(run_->run->text(), "a!");
  EXPECT_EQ(run_->run->outcome()->finish_reason, "length");
  EXPECT_EQ(run_->run->outcome()->prompt_tokens, 9);
}

TEST_F(GenerationSinkTest, AStopIsCancelled) {
  run_->stop(clock_);
  sink_.on_done("", llm::Completion{.reason = llm::FinishReason::cancelled});
  EXPECT_EQ(run_->run->status(), RunStatus::cancelled);
}

TEST_F(GenerationSinkTest, AFailureKeepsTheTokensSoFar) {
  sink_.on_token("half");
  sink_.on_done("", make_error(ErrorCode::generation_error, "broken"));
  EXPECT_EQ(run_->run->status(), RunStatus::failed);
  EXPECT_EQ(run_->run->outcome()->error->message, "broken");
  EXPECT_EQ(run_->run->outcome()->finish_reason, "");
  EXPECT_EQ(run_->run->text(), "half");
}

}  // namespace
}  // namespace tars::chat
