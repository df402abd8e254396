// Text to tokens and back, with the loaded model's tokenizer.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "llm/llama/chat_template.h"
#include "llm/llama/thought_filter.h"
#include "llm/llama/token_texts.h"
#include "llm/prompt_fit.h"

struct llama_vocab;

namespace tars::llm {

// Borrows the model's vocabulary, which outlives it. Any thread may call any member at once.
class Vocabulary {
 public:
  // The template tells which tokens mark turns and thoughts.
  Vocabulary(const llama_vocab* vocab, std::string_view chat_template);

  // Control tokens are recognised in the template's own text only: what a user typed stays text.
  // generation_error where llama.cpp fails at it.
  Result<std::vector<TokenId>> tokenize(std::span<const PromptPart> parts) const;
  // Plain text, control tokens not recognised, no begin or end token added.
  std::vector<TokenId> tokenize_text(std::string_view text) const;
  // How the model marks its thoughts, and whether the token is one of the marks.
  const ThoughtMarks& thought_marks() const { return thought_marks_; }
  bool marks_thoughts(TokenId token) const;
  // Appends the token's bytes, possibly a part of a character; nothing for control tokens but the
  // marks of thoughts.
  void append_piece(TokenId token, std::string& out) const;
  bool ends_generation(TokenId token) const;
  std::size_t size() const { return size_; }

 private:
  std::vector<TokenId> tokenize_parts(std::span<const PromptPart> parts) const;
  // `seams` are where a run of one kind of character is counted anew: see cut_long_runs().
  void tokenize_into(std::string_view text, bool control_tokens, std::vector<TokenId>& out,
                     std::span<const std::size_t> seams = {}) const;
  void tokenize_words(std::string_view text, bool control_tokens, std::vector<TokenId>& out,
                      std::span<const std::size_t> seams = {}) const;
  void tokenize_piece(std::string_view text, bool control_tokens, std::vector<TokenId>& out) const;
  std::vector<std::string_view> cut_user_defined(std::string_view text) const;

  const llama_vocab* vocab_;
  std::size_t size_;
  TokenTexts control_texts_;  // with those of user_defined_
  TokenTexts user_defined_;  // those that no message may say
  ThoughtMarks thought_marks_;
  std::vector<TokenId> mark_tokens_;
};

}  // namespace tars::llm
