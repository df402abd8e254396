// What a model server calls text, made text that every client can read.
#pragma once

#include <string>
#include <string_view>

namespace tars::llm {

// Joins the pieces of one answer and gives valid UTF-8: a character that is cut between two pieces,
// be it in the middle of its bytes or of its surrogate pair (each half in the three bytes that
// UTF-8 does not allow for it), comes whole with the second; what never becomes a character is
// U+FFFD. Holds at most 6 bytes. For one thread.
class TextMender {
 public:
  // The view lives until the next call, or as long as `piece`.
  std::string_view push(std::string_view piece);
  // The end: what was still held.
  std::string_view finish();

 private:
  std::string held_;
  std::string out_;
};

// Half pairs that stand in JSON's strings as \uD83D become the three bytes of TextMender's
// contract; the text itself where it has none.
std::string raw_surrogates(std::string_view json);

}  // namespace tars::llm
