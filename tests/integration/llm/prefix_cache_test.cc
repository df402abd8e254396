// What is kept of earlier prompts changes the cost, never the text.
#include "model_fixture.h"

namespace tars::llm {
namespace {

class PrefixCacheTest : public ModelTest {};

Request second_turn(const std::string& answer) {
  Request turn = request("And of Italy?", 24);
  turn.cache_key = "talk";
  turn.messages = {{Role::user, "What is the capital of France? Answer in one sentence."},
                   {Role::assistant, answer},
                   {Role::user, "And of Italy?"}};
  return turn;
}

TEST_F(PrefixCacheTest, TheSecondTurnReusesTheFirst) {
  open(2);
  auto first = request("What is the capital of France? Answer in one sentence.", 24);
  first.cache_key = "talk";
  const auto answer = ask(first);
  ASSERT_TRUE(answer->wait());

  const auto cached = ask(second_turn(answer->text()));
  const auto with = cached->wait();
  ASSERT_TRUE(with);
  EXPECT_GT(with->cached_tokens, with->prompt_tokens / 2);

  backend_->shutdown();
  open(2);
  const auto fresh = ask(second_turn(answer->text()));
  const auto without = fresh->wait();
  ASSERT_TRUE(without);
  EXPECT_EQ(without->cached_tokens, 0);
  EXPECT_EQ(with->prompt_tokens, without->prompt_tokens);
  EXPECT_EQ(cached->text(), fresh->text());
}

TEST_F(PrefixCacheTest, TheSamePromptAgainComputesItsLastToken) {
  open(1);
  const auto first = ask(request("Name three colours.", 20));
  const auto cold = first->wait();
  const auto second = ask(request("Name three colours.", 20));
  const auto warm = second->wait();
  ASSERT_TRUE(cold && warm);
  EXPECT_EQ(warm->cached_tokens, warm->prompt_tokens - 1);
  EXPECT_EQ(first->text(), second->text());
}

TEST_F(PrefixCacheTest, AnotherConversationDoesNotSeeIt) {
  open(1);
  const auto alone = ask(request("Name three animals.", 20));
  ASSERT_TRUE(alone->wait());
  ASSERT_TRUE(ask(request("My secret word is zephyr. " + long_text(100), 8))->wait());
  const auto after = ask(request("Name three animals.", 20));
  ASSERT_TRUE(after->wait());
  EXPECT_EQ(alone->text(), after->text());
}

}  // namespace
}  // namespace tars::llm
