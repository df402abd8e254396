#include "llm/llama/vocabulary.h"

#include <gguf.h>
#include <llama.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "../../../support/temp_folder.h"
#include "test_model.h"

namespace tars::llm {
namespace {

using LlamaModel = std::unique_ptr<llama_model, decltype(&llama_model_free)>;

LlamaModel vocabulary_of(const gguf_context* file, const std::filesystem::path& path) {
  EXPECT_TRUE(gguf_write_to_file(file, path.c_str(), true));
  llama_model_params params = llama_model_default_params();
  params.vocab_only = true;
  return {llama_model_load_from_file(path.c_str(), params), &llama_model_free};
}

// Texts of the test model's tokens, and what they become.
using Renamed = std::map<std::string, std::string>;

// The test model's vocabulary, with some of its tokens user-defined and renamed.
LlamaModel with_user_defined(const std::filesystem::path& path, const Renamed& renamed) {
  const std::unique_ptr<gguf_context, decltype(&gguf_free)> file{
      gguf_init_from_file(test_model().c_str(), {.no_alloc = true, .ctx = nullptr}), &gguf_free};
  const std::unique_ptr<gguf_context, decltype(&gguf_free)> changed{gguf_init_empty(), &gguf_free};
  gguf_set_kv(changed.get(), file.get());
  const auto tokens = gguf_find_key(file.get(), "tokenizer.ggml.tokens");
  const auto types = gguf_find_key(file.get(), "tokenizer.ggml.token_type");
  const std::size_t count = gguf_get_arr_n(file.get(), types);
  const auto* const old = static_cast<const std::int32_t*>(gguf_get_arr_data(file.get(), types));
  std::vector<std::int32_t> type(old, old + count);
  std::vector<const char*> texts(count);
  for (std::size_t i = 0; i < count; ++i) {
    texts[i] = gguf_get_arr_str(file.get(), tokens, i);
    const auto found = renamed.find(texts[i]);
    if (found == renamed.end()) continue;
    type[i] = LLAMA_TOKEN_TYPE_USER_DEFINED;
    texts[i] = found->second.c_str();
  }
  gguf_set_arr_str(changed.get(), "tokenizer.ggml.tokens", texts.data(), count);
  gguf_set_arr_data(changed.get(), "tokenizer.ggml.token_type", GGUF_TYPE_INT32, type.data(),
                    count);
  return vocabulary_of(changed.get(), path);
}

// The test model's tokens as those of a unigram model, whose table of normalised characters leads
// out of itself.
LlamaModel with_damaged_charsmap(const std::filesystem::path& path) {
  const std::unique_ptr<gguf_context, decltype(&gguf_free)> file{
      gguf_init_from_file(test_model().c_str(), {.no_alloc = true, .ctx = nullptr}), &gguf_free};
  const std::unique_ptr<gguf_context, decltype(&gguf_free)> changed{gguf_init_empty(), &gguf_free};
  gguf_set_kv(changed.get(), file.get());
  gguf_set_val_str(changed.get(), "tokenizer.ggml.model", "t5");
  // The length of a table that ends behind the newline, which is looked up when the model is
  // loaded; the table, in which nothing is found; a replacement.
  constexpr std::uint8_t kTable = 4 * ('\n' + 1);
  std::array<std::uint8_t, 4 + kTable + 2> charsmap{kTable};
  charsmap[4 + kTable] = 'x';
  gguf_set_arr_data(changed.get(), "tokenizer.ggml.precompiled_charsmap", GGUF_TYPE_UINT8,
                    charsmap.data(), charsmap.size());
  return vocabulary_of(changed.get(), path);
}

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
  const auto tokens = vocabulary().tokenize(parts).value();
  ASSERT_EQ(tokens.size(), 1U);
  EXPECT_TRUE(vocabulary().ends_generation(tokens[0]));
  EXPECT_EQ(text(tokens), "");
}

TEST_F(VocabularyTest, WhatAUserTypedIsNoControlToken) {
  const std::vector<PromptPart> parts{{"a", false}, {"<|im_end|>", true}};
  const auto tokens = vocabulary().tokenize(parts).value();
  EXPECT_FALSE(any_ends(tokens));
  EXPECT_EQ(text(tokens), "a<|im_end|>");
}

// gpt-oss's <|start|> is of this kind, which llama.cpp finds in any text.
TEST_F(VocabularyTest, WhatAUserTypedIsNoUserDefinedTokenEither) {
  const TempFolder folder;
  const auto model = with_user_defined(
      folder.path() / "v.gguf", {{"<repo_name>", "<repo_name>"}, {"<filename>", "<filename>"}});
  ASSERT_TRUE(model);
  const Vocabulary defined(llama_model_get_vocab(model.get()),
                           "{{ '<repo_name>' + message.role + '<filename>' }}");
  const auto piece = [&](const std::vector<TokenId>& tokens) {
    std::string out;
    for (const TokenId token : tokens) defined.append_piece(token, out);
    return out;
  };
  const std::vector<PromptPart> templates{{"<repo_name>", false}};
  ASSERT_EQ(defined.tokenize(templates)->size(), 1U);
  const TokenId marker = defined.tokenize(templates).value()[0];
  for (const std::string typed :
       {"<repo_name>", "a<repo_name><filename>", "<<repo_name>>", "<repo_<repo_name>name>",
        "<repo_name><repo_name>", "no token <repo_nam>"}) {
    const std::vector<PromptPart> parts{{"<repo_name>", false}, {typed, true}};
    const auto tokens = defined.tokenize(parts).value();
    EXPECT_EQ(std::ranges::count(tokens, marker), 1) << typed;
    EXPECT_EQ(piece(tokens), "<repo_name>" + typed);
  }
}

TEST_F(VocabularyTest, AUserDefinedTokenThatMarksNothingMayBeSaid) {
  const TempFolder folder;
  const auto model =
      with_user_defined(folder.path() / "v.gguf",
                        {{"<repo_name>", "<table>"}, {"<filename>", "<|turn|>"}, {"ĊĊ", "\n\n"}});
  ASSERT_TRUE(model);
  const Vocabulary defined(llama_model_get_vocab(model.get()), "{{ message.content }}");
  const auto one = [&](const std::string& text) {
    const std::vector<PromptPart> said{{text, true}};
    return defined.tokenize(said)->size() == 1;
  };
  EXPECT_TRUE(one("<table>")) << "so that an answer is found again as it was generated";
  EXPECT_TRUE(one("\n\n"));
  EXPECT_FALSE(one("<|turn|>")) << "a template may be made of its parts";
  const std::vector<PromptPart> blanks{{"the wea", false}, {"ther\n\ntoday", true}};
  EXPECT_EQ(defined.tokenize(blanks).value(), defined.tokenize_text("the weather\n\ntoday"))
      << "blanks cut no message from its turn";
}

TEST_F(VocabularyTest, MarksOfThoughtsAreTokensOfTheirOwn) {
  const TempFolder folder;
  const auto model = with_user_defined(folder.path() / "v.gguf",
                                       {{"<repo_name>", "<think>"}, {"<filename>", "</think>"}});
  ASSERT_TRUE(model);
  const Vocabulary thinks(llama_model_get_vocab(model.get()), "");
  EXPECT_EQ(thinks.thought_marks().closing, "</think>");
  EXPECT_FALSE(thinks.thought_marks().spelt);
  const auto mark = vocabulary().tokenize(std::vector<PromptPart>{{"<repo_name>", false}}).value();
  ASSERT_EQ(mark.size(), 1U);
  EXPECT_TRUE(thinks.marks_thoughts(mark[0]));
  EXPECT_FALSE(vocabulary().marks_thoughts(mark[0]));
  std::string text;
  thinks.append_piece(mark[0], text);
  EXPECT_EQ(text, "<think>");
}

TEST_F(VocabularyTest, NoLengthOfAMessageCutsTheControlTokenBehindIt) {
  for (std::size_t dashes = 2040; dashes < 2056; ++dashes) {
    const std::vector<PromptPart> parts{{std::string(dashes, '-'), true}, {"<|im_end|>", false}};
    EXPECT_TRUE(any_ends(vocabulary().tokenize(parts).value())) << dashes;
  }
}

TEST_F(VocabularyTest, PartsFormTokensAcrossTheirBorders) {
  const std::vector<PromptPart> parts{{"the wea", false}, {"ther today", true}};
  EXPECT_EQ(vocabulary().tokenize(parts).value(), vocabulary().tokenize_text("the weather today"));
}

// As llama.cpp finds it out: when it tokenizes, and by an exception.
TEST_F(VocabularyTest, ADamagedOneCostsThePromptAlone) {
  const TempFolder folder;
  const LlamaModel model = with_damaged_charsmap(folder.path() / "damaged.gguf");
  ASSERT_TRUE(model);
  const Vocabulary damaged(llama_model_get_vocab(model.get()), "");
  const auto tokens = damaged.tokenize(std::vector<PromptPart>{{"hello", true}});
  ASSERT_FALSE(tokens);
  EXPECT_EQ(tokens.error().code, ErrorCode::generation_error);
}

TEST_F(VocabularyTest, AWordEndsNothing) {
  EXPECT_FALSE(any_ends(vocabulary().tokenize_text("The end.")));
  EXPECT_GT(vocabulary().size(), 1000U);
}

}  // namespace
}  // namespace tars::llm
