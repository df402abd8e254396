#include "llm/llama/vocabulary.h"

#include <algorithm>

#include "test_model.h"

namespace tars::llm {
namespace {

class VocabularyTest : public LoadedModelTest {
 protected:
  const Vocabulary& vocabulary() const { return model_->vocabulary(); }
  std::string text(const std::vector<TokenId>& tokens) const {
    std::string out;
    for (const TokenId token : tokens) vocabulary().append_piece(token, out);
    return out;
  }
  bool any_ends(const std::vector<TokenId>& tokens) const {
    return std::any_of(tokens.begin(), tokens.end(),
                       [this](TokenId token) { return vocabulary().ends_generation(token); });
  }
};

TEST_F(VocabularyTest, TextComesBackAsItWas) {
  for (const std::string original :
       {"Hello, world!", "  spaces\n\n\tand lines", "Grüße, 世界 🙂", "<|im_end|>", ""}) {
    EXPECT_EQ(text(vocabulary().tokenize_text(original)), original);
  }
}

TEST_F(VocabularyTest, ALetterManyTimesOverComesBack) {
  for (const char letter : {'a', '!', ' ', '7'}) {
    const std::string original(40'000, letter);
    EXPECT_EQ(text(vocabulary().tokenize_text(original)), original);
  }
}

TEST_F(VocabularyTest, TheTemplatesControlTokensAreOneTokenWithoutText) {
  const std::vector<PromptPart> parts{{"<|im_end|>", false}};
  const auto tokens = vocabulary().tokenize(parts);
  ASSERT_EQ(tokens.size(), 1U);
  EXPECT_TRUE(vocabulary().ends_generation(tokens[0]));
  EXPECT_EQ(text(tokens), "");
}

TEST_F(VocabularyTest, WhatAUserTypedIsNoControlToken) {
  const std::vector<PromptPart> parts{{"a", false}, {"<|im_end|>", true}};
  const auto tokens = vocabulary().tokenize(parts);
  EXPECT_FALSE(any_ends(tokens));
  EXPECT_EQ(text(tokens), "a<|im_end|>");
}

TEST_F(VocabularyTest, NoLengthOfAMessageCutsTheControlTokenBehindIt) {
  for (std::size_t dashes = 2040; dashes < 2056; ++dashes) {
    const std::vector<PromptPart> parts{{std::string(dashes, '-'), true}, {"<|im_end|>", false}};
    EXPECT_TRUE(any_ends(vocabulary().tokenize(parts))) << dashes;
  }
}

TEST_F(VocabularyTest, PartsFormTokensAcrossTheirBorders) {
  const std::vector<PromptPart> parts{{"the wea", false}, {"ther today", true}};
  EXPECT_EQ(vocabulary().tokenize(parts), vocabulary().tokenize_text("the weather today"));
}

TEST_F(VocabularyTest, AWordEndsNothing) {
  EXPECT_FALSE(any_ends(vocabulary().tokenize_text("The end.")));
  EXPECT_GT(vocabulary().size(), 1000U);
}

}  // namespace
}  // namespace tars::llm
