// From the bytes of a model's tokens to the answer that may be shown.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llm/llama/thought_filter.h"
#include "llm/text_assembler.h"

namespace tars::llm {

// Leaves out thoughts, then ends at stop sequences: one that is only thought of ends nothing. For
// one thread.
class AnswerText {
 public:
  explicit AnswerText(std::vector<std::string> stops) : text_(std::move(stops)) {}

  // Before the first push().
  void set_thoughts(ThoughtMarks marks, bool begins_with_thoughts) {
    thoughts_.emplace(std::move(marks), begins_with_thoughts);
  }

  // What may be shown now; the view lives until the next call. `is_mark`: the piece is a token
  // that marks thoughts.
  std::string_view push(std::string_view piece, bool is_mark = false) {
    return text_.push(thoughts_ ? thoughts_->push(piece, is_mark) : piece);
  }
  // The end of input: what was held back. `by_itself`: the model ended it.
  std::string_view finish(bool by_itself = false) {
    if (!thoughts_) return text_.finish();
    out_ = text_.push(thoughts_->finish(by_itself));
    out_ += text_.finish();
    return out_;
  }

  bool stopped() const { return text_.stopped(); }
  // What came last is a thought, which nobody is told.
  bool hides() const { return thoughts_ && thoughts_->hides(); }

 private:
  std::optional<ThoughtFilter> thoughts_;
  TextAssembler text_;
  std::string out_;
};

}  // namespace tars::llm
