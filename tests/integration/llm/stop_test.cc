// Stops at every stage, and shutdown with work under way.
#include "model_fixture.h"

namespace tars::llm {
namespace {

class StopTest : public ModelTest {};

void expect_cancelled(RecordingSink& sink) {
  const auto result = sink.wait();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->reason, FinishReason::cancelled);
}

TEST_F(StopTest, WhileDecoding) {
  open();
  std::stop_source stop;
  const auto sink = ask(request("Tell me a very long story.", 2000), stop.get_token());
  ASSERT_TRUE(sink->wait_tokens(3));
  stop.request_stop();
  expect_cancelled(*sink);
  EXPECT_LT(sink->tokens(), 2000);
}

TEST_F(StopTest, WhileThePromptIsProcessed) {
  open();
  std::stop_source stop;
  const auto sink = ask(request(long_text(3500), 10), stop.get_token());
  ASSERT_TRUE(sink->wait_start());
  stop.request_stop();
  expect_cancelled(*sink);
  EXPECT_EQ(sink->tokens(), 0);
  // What was left in memory does not disturb what comes next.
  const auto next = ask(request("What is the capital of France? Answer in one sentence.", 40));
  ASSERT_TRUE(next->wait());
  EXPECT_NE(next->text().find("Paris"), std::string::npos) << next->text();
}

TEST_F(StopTest, OneOfTwoGoesOn) {
  open();
  std::stop_source stop;
  const auto alone = ask(request("Name three colours.", 24));
  ASSERT_TRUE(alone->wait());
  const auto stopped = ask(request(long_text(2000), 10), stop.get_token());
  const auto kept = ask(request("Name three colours.", 24));
  ASSERT_TRUE(stopped->wait_start());
  stop.request_stop();
  expect_cancelled(*stopped);
  ASSERT_TRUE(kept->wait());
  EXPECT_EQ(kept->text(), alone->text());
}

TEST_F(StopTest, WhileWaitingForASlot) {
  open(1);
  std::stop_source first_stop;
  std::stop_source second_stop;
  const auto first = ask(request("Tell me a very long story.", 3000), first_stop.get_token());
  ASSERT_TRUE(first->wait_tokens(1));
  const auto second = ask(request("Hello", 10), second_stop.get_token());
  second_stop.request_stop();
  expect_cancelled(*second);
  EXPECT_EQ(first->ends(), 0);
  first_stop.request_stop();
  expect_cancelled(*first);
}

TEST_F(StopTest, BeforeItBegan) {
  open();
  std::stop_source stop;
  stop.request_stop();
  expect_cancelled(*ask(request("Hello"), stop.get_token()));
}

TEST_F(StopTest, ShutdownAnswersEverybody) {
  open(2);
  std::vector<std::shared_ptr<RecordingSink>> sinks;
  for (int i = 0; i < 5; ++i) sinks.push_back(ask(request("Tell me a very long story.", 2000)));
  ASSERT_TRUE(sinks[0]->wait_tokens(2));
  backend_->shutdown();
  for (const auto& sink : sinks) {
    EXPECT_EQ(sink->ends(), 1);
    expect_cancelled(*sink);
  }
  const auto refused = backend_->generate(request("Hi"), std::make_shared<RecordingSink>(), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::backend_unavailable);
  backend_->shutdown();
}

TEST_F(StopTest, ShutdownWhileLoading) {
  open();
  const auto sink = ask(request("Hello"));
  backend_->shutdown();
  EXPECT_EQ(sink->ends(), 1);
}

}  // namespace
}  // namespace tars::llm
