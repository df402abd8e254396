#include "llm/llama/long_runs.h"

#include "base/utf8.h"

namespace tars::llm {
namespace {

enum class Kind { any, letter, digit, blank, other };

Kind kind_of(unsigned char c) {
  if (c >= 0x80) return Kind::any;
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return Kind::letter;
  if (c >= '0' && c <= '9') return Kind::digit;
  if (c == ' ' || (c >= '\t' && c <= '\r')) return Kind::blank;
  return Kind::other;
}

}  // namespace

std::vector<std::string_view> cut_long_runs(std::string_view text,
                                            std::span<const std::size_t> seams) {
  std::vector<std::string_view> pieces;
  std::size_t piece = 0;
  std::size_t run = 0;
  std::size_t word = 0;
  Kind kind = Kind::any;
  for (std::size_t i = 0; i < text.size(); ++i) {
    while (!seams.empty() && seams.front() <= i) {
      if (seams.front() == i) run = word = i;
      seams = seams.subspan(1);
    }
    const Kind here = kind_of(static_cast<unsigned char>(text[i]));
    if (here != Kind::any && kind != Kind::any && here != kind) run = i;
    if (here != Kind::any) kind = here;
    if (here == Kind::blank) word = i;
    const bool too_long = i - run >= kLongestRun || i - word >= kLongestWord;
    if (!too_long || continues_utf8_character(text[i])) continue;
    pieces.push_back(text.substr(piece, i - piece));
    piece = i;
    run = word = i;
    kind = here;
  }
  if (piece < text.size()) pieces.push_back(text.substr(piece));
  return pieces;
}

}  // namespace tars::llm
