// Answers that leave their slot for another client's, and go on.
#include "model_fixture.h"

namespace tars::llm {
namespace {

constexpr const char* kStory = "Tell me a very long story about a lighthouse keeper.";

class PauseTest : public ModelTest {
 protected:
  std::shared_ptr<RecordingSink> ask_as(std::string client, std::string content, int max_tokens,
                                        std::stop_token stop = {}) {
    Request r = request(std::move(content), max_tokens);
    r.client = std::move(client);
    return ask(std::move(r), std::move(stop));
  }
  // Two answers of one client in the only two slots, and one of another client's in the place of
  // the second.
  void pause_second() {
    open(2);
    first_ = ask_as("a", kStory, 2000);
    ASSERT_TRUE(first_->wait_tokens(1));
    second_ = ask_as("a", kStory, 2000, stop_second_.get_token());
    ASSERT_TRUE(second_->wait_tokens(1));
    other_ = ask_as("b", kStory, 2000);
    ASSERT_TRUE(other_->wait_tokens(1));
    ASSERT_EQ(metrics_.pauses.Value(), 1);
  }

  std::stop_source stop_second_;
  std::shared_ptr<RecordingSink> first_, second_, other_;
};

TEST_F(PauseTest, AThirdClientBeginsWhileTwoHaveFourLongAnswersEach) {
  open();
  std::vector<std::shared_ptr<RecordingSink>> long_answers;
  for (int i = 0; i < 8; ++i) long_answers.push_back(ask_as(i % 2 == 0 ? "a" : "b", kStory, 1500));
  for (const auto& sink : long_answers) ASSERT_TRUE(sink->wait_tokens(1));
  const auto third = ask_as("c", "What is the capital of France?", 8);
  ASSERT_TRUE(third->wait_tokens(1));
  for (const auto& sink : long_answers) EXPECT_EQ(sink->ends(), 0);
  EXPECT_EQ(metrics_.pauses.Value(), 1);
}

TEST_F(PauseTest, APausedAnswerIsTheSameText) {
  open(2);
  const std::string count = "Count from one to thirty in words.";
  const auto story = ask_as("a", kStory, 80);
  const auto numbers = ask_as("a", count, 80);
  ASSERT_TRUE(story->wait());
  ASSERT_TRUE(numbers->wait());
  EXPECT_EQ(metrics_.pauses.Value(), 0);
  const auto first = ask_as("a", kStory, 80);
  ASSERT_TRUE(first->wait_tokens(1));
  const auto second = ask_as("a", count, 80);
  ASSERT_TRUE(second->wait_tokens(9));
  const auto other = ask_as("b", "What is the capital of France?", 12);
  for (const auto& sink : {first, second, other}) {
    const auto result = sink->wait();
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(sink->ends(), 1);
  }
  EXPECT_EQ(metrics_.pauses.Value(), 1);
  EXPECT_EQ(first->text(), story->text());
  EXPECT_EQ(second->text(), numbers->text());
}

TEST_F(PauseTest, APausedAnswerThatIsStoppedEndsAtOnce) {
  pause_second();
  const int said = second_->tokens();
  stop_second_.request_stop();
  const auto result = second_->wait();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->reason, FinishReason::cancelled);
  EXPECT_GT(result->prompt_tokens, 0);
  EXPECT_EQ(first_->ends() + other_->ends(), 0);
  EXPECT_EQ(second_->tokens(), said) << "it said nothing more";
  EXPECT_LT(backend_->status().stalled, std::chrono::seconds(5));
}

TEST_F(PauseTest, ShutdownEndsAPausedAnswer) {
  pause_second();
  backend_->shutdown();
  for (const auto& sink : {first_, second_, other_}) {
    EXPECT_EQ(sink->ends(), 1);
    const auto result = sink->wait();
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->reason, FinishReason::cancelled);
  }
}

// More clients come and go than the paused has slots: it ends nevertheless, and none is paused for
// a client that has an answer.
TEST_F(PauseTest, APausedAnswerEndsWhileOthersComeAndGo) {
  open(2);
  const auto first = ask_as("a", kStory, 60);
  const auto second = ask_as("a", kStory, 60);
  ASSERT_TRUE(second->wait_tokens(1));
  for (int i = 0; i < 6; ++i) {
    const std::string client = "b" + std::to_string(i);
    const auto one = ask_as(client, "Name three colours.", 6);
    const auto two = ask_as(client, "Name three cities.", 6);
    ASSERT_TRUE(one->wait());
    ASSERT_TRUE(two->wait());
  }
  ASSERT_TRUE(first->wait());
  ASSERT_TRUE(second->wait());
  EXPECT_EQ(first->text(), second->text());
}

}  // namespace
}  // namespace tars::llm
