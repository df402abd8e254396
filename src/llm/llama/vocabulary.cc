#include "llm/llama/vocabulary.h"

#include <llama.h>

#include <algorithm>
#include <array>
#include <exception>

#include "base/utf8.h"
#include "llm/llama/long_runs.h"

namespace tars::llm {
namespace {

// Bytes of the character that the text begins with.
std::size_t first_character(std::string_view text) {
  std::size_t bytes = 1;
  while (bytes < text.size() && continues_utf8_character(text[bytes])) ++bytes;
  return bytes;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// As models write what marks turns: <|user|>, <｜User｜>, [|user|], <|channel>, <channel|>.
bool looks_like_a_mark(std::string_view text) {
  constexpr std::array kBegins{"<|", "<｜", "[|"};
  constexpr std::array kEnds{"|>", "｜>", "|]"};
  return std::ranges::any_of(kBegins, [text](auto begin) { return text.starts_with(begin); }) ||
         std::ranges::any_of(kEnds, [text](auto end) { return text.ends_with(end); });
}

// A user-defined token that a message must not say. Gemma's <table> and runs of blanks are of the
// kind, too, and are what the model itself says: cut, its answer would not be found again among
// the computed tokens.
bool is_reserved(std::string_view text, std::string_view chat_template) {
  if (is_blank(text) || text.size() == first_character(text)) return false;
  return looks_like_a_mark(text) || chat_template.find(text) != std::string_view::npos;
}

}  // namespace

Vocabulary::Vocabulary(const llama_vocab* vocab, std::string_view chat_template)
    : vocab_(vocab), size_(static_cast<std::size_t>(llama_vocab_n_tokens(vocab))) {
  std::vector<std::string> control_texts;
  std::vector<std::string> user_defined;
  std::vector<std::pair<std::string_view, TokenId>> marks;
  for (TokenId token = 0; token < static_cast<TokenId>(size_); ++token) {
    const std::string_view text = llama_vocab_get_text(vocab, token);
    if (may_mark_thoughts(text)) marks.emplace_back(text, token);
    const auto attributes = static_cast<unsigned>(llama_vocab_get_attr(vocab, token));
    constexpr auto kControl = static_cast<unsigned>(LLAMA_TOKEN_ATTR_CONTROL) |
                              static_cast<unsigned>(LLAMA_TOKEN_ATTR_UNKNOWN);
    if ((attributes & kControl) != 0) {
      control_texts.emplace_back(text);
    } else if ((attributes & static_cast<unsigned>(LLAMA_TOKEN_ATTR_USER_DEFINED)) != 0 &&
               is_reserved(text, chat_template)) {
      control_texts.emplace_back(text);
      user_defined.emplace_back(text);
    }
  }
  control_texts_ = TokenTexts(std::move(control_texts));
  user_defined_ = TokenTexts(std::move(user_defined));
  thought_marks_ = find_thought_marks(chat_template, [&marks](std::string_view text) {
    return std::ranges::any_of(marks, [text](const auto& mark) { return mark.first == text; });
  });
  for (const auto& [text, token] : marks) {
    if (thought_marks_.includes(text)) mark_tokens_.push_back(token);
  }
}

Result<std::vector<TokenId>> Vocabulary::tokenize(std::span<const PromptPart> parts) const {
  // Of a damaged vocabulary, or for want of memory: of one answer, and nothing else's.
  try {
    return tokenize_parts(parts);
  } catch (const std::exception& fault) {
    return make_error(ErrorCode::generation_error,
                      "the prompt cannot be made tokens: " + std::string(fault.what()));
  }
}

std::vector<TokenId> Vocabulary::tokenize_parts(std::span<const PromptPart> parts) const {
  std::vector<TokenId> tokens;
  const bool cut = std::any_of(parts.begin(), parts.end(), [this](const PromptPart& part) {
    return part.from_message && control_texts_.any_in(part.text);
  });
  if (cut) {
    for (const PromptPart& part : parts) tokenize_into(part.text, !part.from_message, tokens);
  } else {
    // In one piece, so that tokens may form across the parts as they did in training.
    std::string text;
    std::vector<std::size_t> seams;
    for (const PromptPart& part : parts) {
      seams.push_back(text.size());
      text += part.text;
    }
    tokenize_into(text, true, tokens, seams);
  }
  const TokenId bos = llama_vocab_bos(vocab_);
  if (llama_vocab_get_add_bos(vocab_) && bos != LLAMA_TOKEN_NULL &&
      (tokens.empty() || tokens.front() != bos)) {
    tokens.insert(tokens.begin(), bos);
  }
  return tokens;
}

std::vector<TokenId> Vocabulary::tokenize_text(std::string_view text) const {
  std::vector<TokenId> tokens;
  tokenize_into(text, false, tokens);
  return tokens;
}

void Vocabulary::append_piece(TokenId token, std::string& out) const {
  std::array<char, 128> piece{};
  const bool mark = marks_thoughts(token);
  const int n =
      llama_token_to_piece(vocab_, token, piece.data(), static_cast<int>(piece.size()), 0, mark);
  if (n >= 0) {
    out.append(piece.data(), static_cast<std::size_t>(n));
    return;
  }
  const std::size_t begin = out.size();
  out.resize(begin + static_cast<std::size_t>(-n));
  llama_token_to_piece(vocab_, token, out.data() + begin, -n, 0, mark);
}

bool Vocabulary::marks_thoughts(TokenId token) const {
  return std::ranges::find(mark_tokens_, token) != mark_tokens_.end();
}

bool Vocabulary::ends_generation(TokenId token) const { return llama_vocab_is_eog(vocab_, token); }

void Vocabulary::tokenize_into(std::string_view text, bool control_tokens,
                               std::vector<TokenId>& out,
                               std::span<const std::size_t> seams) const {
  if (control_tokens) return tokenize_words(text, true, out, seams);
  for (const std::string_view piece : cut_user_defined(text)) tokenize_words(piece, false, out);
}

// llama.cpp finds tokens of this kind in any text, and for some models they are what the template
// marks turns with: gpt-oss's <|start|>, DeepSeek's <｜User｜>. Behind its first character each is
// cut, so that none is whole.
std::vector<std::string_view> Vocabulary::cut_user_defined(std::string_view text) const {
  std::vector<std::string_view> pieces;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    if (!user_defined_.begins(rest)) continue;
    const std::size_t cut = i + first_character(rest);
    pieces.push_back(text.substr(begin, cut - begin));
    begin = cut;
  }
  if (begin < text.size()) pieces.push_back(text.substr(begin));
  return pieces;
}

// A tokenizer of another type than BPE has no words to split.
void Vocabulary::tokenize_words(std::string_view text, bool control_tokens,
                                std::vector<TokenId>& out,
                                std::span<const std::size_t> seams) const {
  if (llama_vocab_type(vocab_) != LLAMA_VOCAB_TYPE_BPE) {
    return tokenize_piece(text, control_tokens, out);
  }
  for (const std::string_view piece : cut_long_runs(text, seams)) {
    tokenize_piece(piece, control_tokens, out);
  }
}

void Vocabulary::tokenize_piece(std::string_view text, bool control_tokens,
                                std::vector<TokenId>& out) const {
  const std::size_t begin = out.size();
  out.resize(begin + text.size() + 2);
  const auto call = [&] {
    return llama_tokenize(vocab_, text.data(), static_cast<std::int32_t>(text.size()),
                          out.data() + begin, static_cast<std::int32_t>(out.size() - begin), false,
                          control_tokens);
  };
  std::int32_t n = call();
  if (n < 0 && n != INT32_MIN) {
    out.resize(begin + static_cast<std::size_t>(-n));
    n = call();
  }
  out.resize(begin + static_cast<std::size_t>(std::max(n, 0)));
}

}  // namespace tars::llm
