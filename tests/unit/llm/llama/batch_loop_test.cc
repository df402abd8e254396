#include "llm/llama/batch_loop.h"

#include <thread>
#include <utility>

#include "test_model.h"

namespace tars::llm {
namespace {

class TextSink final : public Sink {
 public:
  void on_start(int, int cached_tokens) override {
    cached = cached_tokens;
    ++starts;
  }
  void on_pause() override { ++pauses; }
  void on_token(std::string_view piece) override {
    EXPECT_FALSE(result);
    text += piece;
    ++tokens;
  }
  void on_step_end() override {}
  void on_done(std::string_view rest, Result<Completion> r) override {
    EXPECT_FALSE(result) << "ended twice";
    text += rest;
    result = std::move(r);
  }

  std::string text;
  int tokens = 0;
  int cached = 0;
  int starts = 0;
  int pauses = 0;
  std::optional<Result<Completion>> result;
};

class BatchLoopTest : public LoadedModelTest {
 protected:
  void SetUp() override {
    LoadedModelTest::SetUp();
    if (HasFatalFailure()) return;
    loop_.emplace(*model_, 2, 1, clock_, metrics_, [this] { return closing_; });
  }

  std::shared_ptr<TextSink> start(const std::string& prompt, int max_tokens,
                                  std::stop_token stop = {}, std::vector<std::string> ends = {}) {
    Request request;
    request.sampling.temperature = temperature_;
    request.sampling.seed = 7;
    request.sampling.stop = std::move(ends);
    auto sink = std::make_shared<TextSink>();
    auto g = std::make_unique<Generation>(std::move(request), sink, std::move(stop));
    g->prompt = model_->vocabulary().tokenize_text(prompt);
    g->max_tokens = max_tokens;
    loop_->start(std::move(g));
    return sink;
  }

  void run() {
    for (int i = 0; i < 400 && loop_->running() > 0; ++i) loop_->step();
    EXPECT_EQ(loop_->running(), 0U);
  }

  SystemClock clock_;
  telemetry::Metrics metrics_;
  bool closing_ = false;
  float temperature_ = 0;
  std::optional<BatchLoop> loop_;
};

TEST_F(BatchLoopTest, TwoAtOnceSayWhatEachSaysAlone) {
  const std::string first = "The capital of France is";
  const std::string second = "One, two, three, four,";
  const auto first_alone = start(first, 8);
  run();
  const auto second_alone = start(second, 8);
  run();
  EXPECT_NE(first_alone->text.find("Paris"), std::string::npos) << first_alone->text;
  const auto first_beside = start(first, 8);
  loop_->step();
  const auto second_beside = start(second, 8);
  EXPECT_FALSE(loop_->has_room());
  run();
  EXPECT_EQ(first_beside->text, first_alone->text);
  EXPECT_EQ(second_beside->text, second_alone->text);
}

TEST_F(BatchLoopTest, EndsAtTheNumberOfTokensThatWasAskedFor) {
  const auto sink = start("Once upon a time", 5);
  run();
  ASSERT_TRUE(sink->result && *sink->result);
  EXPECT_EQ((*sink->result)->reason, FinishReason::length);
  EXPECT_EQ(sink->tokens, 5);
}

TEST_F(BatchLoopTest, EndsBeforeAStopSequence) {
  const auto sink = start("One, two, three, four,", 40, {}, {"six"});
  run();
  ASSERT_TRUE(sink->result && *sink->result);
  EXPECT_EQ((*sink->result)->reason, FinishReason::stop);
  EXPECT_NE(sink->text.find("five"), std::string::npos) << sink->text;
  EXPECT_EQ(sink->text.find("six"), std::string::npos) << sink->text;
}

TEST_F(BatchLoopTest, ThoughtsAreNoTokensOfTheAnswer) {
  const auto all = start("One, two, three, four,", 40);
  run();
  Request request;
  request.sampling.temperature = 0;
  request.sampling.stop = {"five"};
  const auto sink = std::make_shared<TextSink>();
  auto g = std::make_unique<Generation>(std::move(request), sink, std::stop_token());
  g->prompt = model_->vocabulary().tokenize_text("One, two, three, four,");
  g->max_tokens = 40;
  // As if what it says up to "six" were thoughts.
  g->text.set_thoughts({.opening = "zero", .closing = "six", .spelt = true}, true);
  loop_->start(std::move(g));
  run();
  const std::size_t six = all->text.find("six");
  ASSERT_NE(six, std::string::npos) << all->text;
  EXPECT_EQ(sink->text, all->text.substr(six + 3))
      << "a stop sequence in the thoughts is none, and they count for max_tokens";
  EXPECT_LT(sink->tokens, all->tokens);
}

TEST_F(BatchLoopTest, AStoppedOneEndsWithTheNextStep) {
  std::stop_source stop;
  const auto stopped = start("Once upon a time", 100, stop.get_token());
  const auto other = start("Once upon a time", 100);
  for (int i = 0; i < 3; ++i) loop_->step();
  stop.request_stop();
  EXPECT_EQ(loop_->step(), 1U);
  ASSERT_TRUE(stopped->result && *stopped->result);
  EXPECT_EQ((*stopped->result)->reason, FinishReason::cancelled);
  EXPECT_FALSE(other->result);
  loop_->end_all(Completion{.reason = FinishReason::cancelled});
  EXPECT_TRUE(other->result);
}

TEST_F(BatchLoopTest, KeepsThePrefixForTheNextPrompt) {
  const std::string prompt = "The river ran past the old mill, and";
  const auto first = start(prompt, 2);
  run();
  EXPECT_EQ(first->cached, 0);
  const auto second = start(prompt, 2);
  run();
  const auto tokens = static_cast<int>(model_->vocabulary().tokenize_text(prompt).size());
  EXPECT_EQ(second->cached, tokens - 1);
  EXPECT_EQ(second->text, first->text);
}

TEST_F(BatchLoopTest, AnAbortedStepIsComputedAgain) {
  const std::string prompt = "The capital of France is";
  const auto expected = start(prompt, 6);
  run();
  // In a loop of its own, so that nothing is kept from before.
  loop_.emplace(*model_, 2, 1, clock_, metrics_, [this] { return closing_; });
  const auto sink = start(prompt, 6);
  closing_ = true;
  EXPECT_EQ(loop_->step(), 0U);
  EXPECT_EQ(sink->tokens, 0);
  closing_ = false;
  run();
  EXPECT_EQ(sink->text, expected->text);
}

TEST_F(BatchLoopTest, AStopDuringAPromptsBatchAbortsIt) {
  const std::string prompt = "The river ran past the old mill, and then past the town";
  std::stop_source stop;
  bool armed = true;
  // Asked for while the batch is computed: the moment to stop it from another thread.
  loop_.emplace(*model_, 2, 1, clock_, metrics_, [&] {
    if (std::exchange(armed, false)) std::thread([&] { stop.request_stop(); }).join();
    return false;
  });
  const auto sink = start(prompt, 6, stop.get_token());
  EXPECT_EQ(loop_->step(), 1U) << "in this very step";
  EXPECT_FALSE(armed);
  ASSERT_TRUE(sink->result && *sink->result);
  EXPECT_EQ((*sink->result)->reason, FinishReason::cancelled);
  EXPECT_EQ(sink->tokens, 0);
  const auto again = start(prompt, 1);
  EXPECT_EQ(again->cached, 0) << "nothing of the batch was committed";
  run();
}

TEST_F(BatchLoopTest, AStopDuringABatchThatOthersNeedAbortsNothing) {
  std::stop_source stop;
  bool armed = false;
  loop_.emplace(*model_, 2, 1, clock_, metrics_, [&] {
    if (std::exchange(armed, false)) stop.request_stop();
    return false;
  });
  const auto stopped = start("The river ran past the old mill, and then", 6, stop.get_token());
  const auto other = start("The capital of France is a city of many", 6);
  armed = true;
  EXPECT_EQ(loop_->step(), 1U);
  EXPECT_FALSE(armed);
  EXPECT_TRUE(stopped->result);
  EXPECT_EQ(other->tokens, 1) << "its part of the batch was computed";
  run();
  EXPECT_EQ(other->tokens, 6);
}

// With nothing found in a slot, at every place of the prompt and the answer, and twice.
TEST_F(BatchLoopTest, APausedAnswerSaysWhatItSaysUnpaused) {
  const std::string prompt = "Once upon a time, in a land far away,";
  for (const float temperature : {0.0F, 0.9F}) {
    temperature_ = temperature;
    const auto expected = start(prompt, 40, {}, {"never said"});
    run();
    for (const int before : {0, 1, 2, 5, 20}) {
      const auto sink = start(prompt, 40, {}, {"never said"});
      for (int i = 0; i < before; ++i) loop_->step();
      auto paused = loop_->pause(0);
      EXPECT_EQ(loop_->running(), 0U);
      for (const char* other : {"The river ran past", "One, two,"}) start(other, 3);
      run();
      EXPECT_FALSE(sink->result);
      loop_->start(std::move(paused));
      for (int i = 0; i < 10; ++i) loop_->step();
      loop_->start(loop_->pause(0));  // at once: its tokens are in the slot
      run();
      EXPECT_EQ(sink->text, expected->text) << "paused after " << before;
      EXPECT_EQ(sink->tokens, expected->tokens);
      EXPECT_EQ(sink->starts, 1);
      EXPECT_EQ(sink->pauses, 2);
      ASSERT_TRUE(sink->result && *sink->result);
      EXPECT_EQ((*sink->result)->prompt_tokens, (*expected->result)->prompt_tokens);
    }
  }
}

TEST_F(BatchLoopTest, WhoWasPausedHasTokensToSayBeforeTheNext) {
  const auto sink = start("Once upon a time", 100);
  EXPECT_TRUE(loop_->holders().at(0).may_pause);
  loop_->step();
  loop_->start(loop_->pause(0));
  const int said = sink->tokens;
  while (!loop_->holders().at(0).may_pause) loop_->step();
  EXPECT_EQ(sink->tokens, said + 32);
  loop_->end_all(Completion{.reason = FinishReason::cancelled});
}

TEST_F(BatchLoopTest, EndAllAnswersEverybodyWithTheError) {
  const auto first = start("Once upon a time", 100);
  const auto second = start("Once upon a time", 100);
  loop_->end_all(make_error(ErrorCode::backend_unavailable, "gone"));
  EXPECT_EQ(loop_->running(), 0U);
  for (const auto& sink : {first, second}) {
    ASSERT_TRUE(sink->result);
    ASSERT_FALSE(*sink->result);
    EXPECT_EQ(sink->result->error().code, ErrorCode::backend_unavailable);
  }
}

}  // namespace
}  // namespace tars::llm
