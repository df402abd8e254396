// Answers of the real model: endings, text, seeds, many at once.
#include "base/utf8.h"
#include "model_fixture.h"

namespace tars::llm {
namespace {

class GenerationTest : public ModelTest {};

TEST_F(GenerationTest, AnswersAndSaysWhatItCost) {
  open();
  const auto sink = ask(request("What is the capital of France? Answer in one sentence.", 40));
  const auto result = sink->wait();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->reason, FinishReason::stop);
  EXPECT_NE(sink->text().find("Paris"), std::string::npos) << sink->text();
  EXPECT_GT(result->prompt_tokens, 10);
  EXPECT_EQ(result->cached_tokens, 0);
  EXPECT_EQ(backend_->status().health, Health::healthy);
}

TEST_F(GenerationTest, EndsByLength) {
  open();
  const auto sink = ask(request("Tell me a very long story about the sea.", 7));
  const auto result = sink->wait();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->reason, FinishReason::length);
  EXPECT_EQ(sink->tokens(), 7);
}

TEST_F(GenerationTest, EndsByLengthWhenTheContextIsFull) {
  open(1, 256);
  const auto sink = ask(request("Tell me a very long story about the sea and all its fish.", 2048));
  const auto result = sink->wait();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->reason, FinishReason::length);
  EXPECT_EQ(result->prompt_tokens + sink->tokens(), 256);
}

TEST_F(GenerationTest, StopsBeforeAStopString) {
  open();
  const auto whole = ask(request("Count from one to ten in digits.", 60));
  ASSERT_TRUE(whole->wait());
  const std::string text = whole->text();
  ASSERT_GT(text.size(), 12U);
  const std::string stop = text.substr(text.size() / 2, 3);
  auto again = request("Count from one to ten in digits.", 60);
  again.sampling.stop = {stop, "never in there"};
  const auto cut = ask(again);
  const auto result = cut->wait();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->reason, FinishReason::stop);
  EXPECT_EQ(cut->text(), text.substr(0, text.find(stop)));
}

TEST_F(GenerationTest, TextIsWholeCharacters) {
  open();
  const auto sink = ask(request("Repeat exactly: 🚀🌍 ünïcödé 漢字 🎉🎉🎉", 48));
  ASSERT_TRUE(sink->wait());
  EXPECT_TRUE(is_valid_utf8(sink->text()));
}

TEST_F(GenerationTest, RefusesAMessageThatDoesNotFit) {
  open(1, 256);
  ASSERT_TRUE(ask(request("Hi", 1))->wait());  // loaded from here on
  const auto sink = std::make_shared<RecordingSink>();
  const auto refused = backend_->generate(request(long_text(600)), sink, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::context_overflow);
  EXPECT_EQ(sink->ends(), 0);
}

TEST_F(GenerationTest, DropsOldTurnsOfALongConversation) {
  open(1, 256);
  Request talk = request("", 8);
  talk.messages.clear();
  for (int i = 0; i < 20; ++i) {
    talk.messages.push_back({Role::user, long_text(40)});
    talk.messages.push_back({Role::assistant, "Yes, it did."});
  }
  talk.messages.push_back({Role::user, "And then?"});
  const auto result = ask(talk)->wait();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_LE(result->prompt_tokens, 256 - 8);
}

TEST_F(GenerationTest, TheSameSeedGivesTheSameText) {
  open();
  auto hot = request("Invent a name for a boat.", 24);
  hot.sampling.temperature = 1.2F;
  hot.sampling.seed = 42;
  const auto first = ask(hot);
  ASSERT_TRUE(first->wait());
  const auto second = ask(hot);
  ASSERT_TRUE(second->wait());
  EXPECT_EQ(first->text(), second->text());
  hot.sampling.seed = 43;
  const auto other = ask(hot);
  ASSERT_TRUE(other->wait());
  EXPECT_NE(first->text(), other->text());
}

TEST_F(GenerationTest, EightAtOnceJoiningAndLeaving) {
  open();
  std::vector<std::shared_ptr<RecordingSink>> sinks;
  for (int i = 0; i < 12; ++i) {
    sinks.push_back(ask(request("Question " + std::to_string(i) + ": tell me about the number " +
                                    std::to_string(i * 7) + ".",
                                4 + 3 * i)));
  }
  for (int i = 0; i < 12; ++i) {
    const auto& sink = sinks[static_cast<std::size_t>(i)];
    const auto result = sink->wait();
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_LE(sink->tokens(), 4 + 3 * i);
    EXPECT_GT(sink->tokens(), 0);
    EXPECT_EQ(sink->ends(), 1);
  }
  // Sinks hear of the end first; the count follows with the end of the step.
  for (int i = 0; i < 6000 && backend_->status().running > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(backend_->status().running, 0);
}

TEST_F(GenerationTest, ATypedControlTokenStaysText) {
  open(1);
  const auto honest = ask(request("x", 1))->wait();
  const auto typed = ask(request("<|im_end|>", 1))->wait();
  ASSERT_TRUE(honest);
  ASSERT_TRUE(typed);
  EXPECT_GT(typed->prompt_tokens, honest->prompt_tokens + 2);  // spelled out, not one control token
}

TEST_F(GenerationTest, RefusesAnotherModelAndTooMany) {
  LlamaOptions options;
  options.model_path = test_model();
  ASSERT_FALSE(options.model_path.empty());
  options.slots = 1;
  options.queue_size = 1;
  auto backend = open_llama_backend(options, clock_, metrics_);
  ASSERT_TRUE(backend);
  backend_ = std::move(*backend);
  auto foreign = request("Hi");
  foreign.model = "another";
  const auto unknown = backend_->generate(foreign, std::make_shared<RecordingSink>(), {});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::model_not_found);

  std::optional<Error> refused;
  std::stop_source stop;
  for (int i = 0; i < 6 && !refused; ++i) {
    const auto accepted = backend_->generate(request("Tell me a story.", 400),
                                             std::make_shared<RecordingSink>(), stop.get_token());
    if (!accepted) refused = accepted.error();
  }
  stop.request_stop();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, ErrorCode::overloaded);
  EXPECT_TRUE(refused->retry_after);
}

}  // namespace
}  // namespace tars::llm
