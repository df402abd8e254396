#include "llm/prompt_fit.h"

#include <gtest/gtest.h>

namespace tars::llm {
namespace {

// Four bytes a token and three tokens of frame for each message.
Result<std::vector<TokenId>> by_four(std::span<const Message> messages) {
  std::vector<TokenId> tokens;
  for (const Message& m : messages) {
    tokens.insert(tokens.end(), {1, static_cast<TokenId>(m.role), 2});
    for (std::size_t i = 0; i < m.content.size(); i += 4) tokens.push_back(m.content[i]);
  }
  return tokens;
}

Message text(Role role, std::size_t tokens, char c = 'x') {
  return {role, std::string(tokens * 4, c)};
}

std::vector<Message> talk(int turns, std::size_t tokens) {
  std::vector<Message> messages{text(Role::system, 10, 's')};
  for (int i = 0; i < turns; ++i) {
    messages.push_back(text(Role::user, tokens, static_cast<char>('a' + i % 26)));
    messages.push_back(text(Role::assistant, tokens, static_cast<char>('A' + i % 26)));
  }
  messages.push_back(text(Role::user, 20, 'q'));
  return messages;
}

TEST(PromptFit, KeepsWhatFits) {
  const auto messages = talk(3, 20);
  const auto prompt = fit_prompt(messages, 100, 1000, by_four);
  ASSERT_TRUE(prompt);
  EXPECT_EQ(prompt->tokens, by_four(messages).value());
  EXPECT_EQ(prompt->max_tokens, 100);
}

TEST(PromptFit, CutsMaxTokensToWhatIsLeft) {
  const auto prompt = fit_prompt(talk(3, 20), 5000, 1000, by_four);
  ASSERT_TRUE(prompt);
  EXPECT_EQ(prompt->max_tokens, 1000 - static_cast<int>(prompt->tokens.size()));
}

TEST(PromptFit, DropsOldestTurnsAndKeepsTheSystemMessage) {
  const auto messages = talk(30, 20);
  const auto prompt = fit_prompt(messages, 100, 1000, by_four);
  ASSERT_TRUE(prompt);
  EXPECT_LE(prompt->tokens.size(), 900U);
  EXPECT_EQ(prompt->tokens[3], 's');
  EXPECT_EQ(prompt->tokens[13], 1);
  EXPECT_EQ(prompt->tokens[14], static_cast<TokenId>(Role::user));  // a pair went, not half of it
  EXPECT_EQ(prompt->tokens.back(), 'q');
}

TEST(PromptFit, TheNextTurnsCutAtTheSamePlace) {
  int moves = 0;
  TokenId last = 0;
  for (int turns = 24; turns < 44; ++turns) {
    const auto prompt = fit_prompt(talk(turns, 20), 100, 1000, by_four);
    ASSERT_TRUE(prompt);
    moves += prompt->tokens[16] != last ? 1 : 0;
    last = prompt->tokens[16];
  }
  EXPECT_LE(moves, 6);  // twenty turns of 46 tokens are under four quarters of the context
}

TEST(PromptFit, LongHistoriesAreNotReadWhole) {
  std::size_t seen = 0;
  const auto prompt = fit_prompt(talk(2000, 50), 100, 1000, [&](std::span<const Message> messages) {
    for (const Message& m : messages) seen += m.content.size();
    return by_four(messages);
  });
  ASSERT_TRUE(prompt);
  EXPECT_GT(prompt->tokens.size(), 300U);
  EXPECT_LT(seen, 100'000U);
}

TEST(PromptFit, OfManyShortTurnsFewAreRendered) {
  std::vector<Message> messages;
  for (int i = 0; i < 5000; ++i) {
    messages.push_back({Role::user, "on"});
    messages.push_back({Role::assistant, "ok"});
  }
  messages.push_back({Role::user, "off"});
  std::size_t rendered = 0;
  const auto prompt = fit_prompt(messages, 100, 1000, [&](std::span<const Message> some) {
    rendered += some.size();
    return by_four(some);
  });
  ASSERT_TRUE(prompt);
  EXPECT_GT(prompt->tokens.size(), 450U);
  EXPECT_LT(rendered, 400U);
}

TEST(PromptFit, TheReserveGivesWayToTheLastMessage) {
  const std::vector<Message> messages{text(Role::user, 900)};
  const auto prompt = fit_prompt(messages, 500, 1000, by_four);
  ASSERT_TRUE(prompt);
  EXPECT_EQ(prompt->max_tokens, 97);
}

TEST(PromptFit, TheSystemMessageGivesWayToTheLastMessage) {
  const std::vector<Message> messages{text(Role::system, 500), text(Role::user, 900)};
  const auto prompt = fit_prompt(messages, 500, 1000, by_four);
  ASSERT_TRUE(prompt);
  EXPECT_EQ(prompt->tokens.size(), 903U);
}

TEST(PromptFit, OverflowsOnlyWhenTheLastMessageAloneDoesNotFit) {
  const std::vector<Message> room_for_one{text(Role::user, 996)};
  EXPECT_TRUE(fit_prompt(room_for_one, 500, 1000, by_four));
  for (const std::size_t tokens : {997U, 5000U, 1'000'000U}) {
    const std::vector<Message> messages{text(Role::user, 5), text(Role::assistant, 5),
                                        text(Role::user, tokens)};
    const auto prompt = fit_prompt(messages, 500, 1000, by_four);
    ASSERT_FALSE(prompt) << tokens;
    EXPECT_EQ(prompt.error().code, ErrorCode::context_overflow);
  }
}

TEST(PromptFit, NoMessages) { EXPECT_FALSE(fit_prompt({}, 10, 1000, by_four)); }

TEST(PromptFit, EmptyTurnsEnd) {
  std::vector<Message> messages(400, Message{Role::user, ""});
  const auto prompt = fit_prompt(messages, 10, 100, by_four);
  ASSERT_TRUE(prompt);
  EXPECT_LT(prompt->tokens.size(), 100U);
}

TEST(PromptFit, AFailingTemplateIsPassedOn) {
  const std::vector<Message> messages{text(Role::user, 5)};
  const auto prompt = fit_prompt(messages, 10, 100, [](auto) -> Result<std::vector<TokenId>> {
    return make_error(ErrorCode::generation_error, "no");
  });
  ASSERT_FALSE(prompt);
  EXPECT_EQ(prompt.error().code, ErrorCode::generation_error);
}

}  // namespace
}  // namespace tars::llm
