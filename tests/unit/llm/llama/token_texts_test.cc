#include "llm/llama/token_texts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace tars::llm {
namespace {

TEST(TokenTexts, AreFoundWhereTheyAre) {
  const TokenTexts texts({"<s>", "<|user|>", "<|user", ""});
  EXPECT_TRUE(texts.begins("<s>"));
  EXPECT_TRUE(texts.begins("<|user|> and more"));
  EXPECT_TRUE(texts.begins("<|users"));
  EXPECT_FALSE(texts.begins("<|use"));
  EXPECT_FALSE(texts.begins("a<s>"));
  EXPECT_FALSE(texts.begins(""));
  EXPECT_TRUE(texts.any_in("a<s>"));
  EXPECT_FALSE(texts.any_in("a <b> <"));
  EXPECT_FALSE(TokenTexts().any_in("a"));
}

TEST(TokenTexts, AsIfEachWereTried) {
  std::mt19937 random(3);
  const auto word = [&](unsigned longest) {
    std::string out;
    for (auto n = random() % (longest + 1); n > 0; --n) out += "ab\xc3"[random() % 3];
    return out;
  };
  for (int round = 0; round < 5'000; ++round) {
    std::vector<std::string> list(random() % 6);
    for (std::string& text : list) text = word(4);
    const TokenTexts texts(list);
    const std::string text = word(8);
    EXPECT_EQ(texts.begins(text), std::ranges::any_of(list, [&](const std::string& t) {
                return !t.empty() && text.starts_with(t);
              }));
    EXPECT_EQ(texts.any_in(text), std::ranges::any_of(list, [&](const std::string& t) {
                return !t.empty() && text.find(t) != std::string::npos;
              }));
  }
}

}  // namespace
}  // namespace tars::llm
