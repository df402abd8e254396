// What a model thinks before it answers is no part of the answer.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace tars::llm {

// How a model's text marks its thoughts.
struct ThoughtMarks {
  // gpt-oss: <|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final<|message|>…
  bool channels = false;
  // Around the thoughts, such as <think> and </think>; empty = it has none.
  std::string opening = {};
  std::string closing = {};
};

// Of the model that has such tokens, or whose chat template speaks of such a mark. All others may
// say <think> as they like.
ThoughtMarks find_thought_marks(std::string_view chat_template,
                                const std::function<bool(std::string_view)>& is_token);

// Whether a token of this text must be seen as text, though it is a control token.
bool is_thought_mark(std::string_view token);

// Some templates open the thoughts themselves: the model then begins with them.
bool opens_thoughts(const ThoughtMarks& marks, std::string_view prompt);

// Leaves thoughts out of a model's text: what stands between the marks at its beginning, or every
// channel but those that are for the user. The joined output depends only on the joined input, not
// on where the pieces were cut. Holds blanks at the beginning and what may become a mark. For one
// thread.
class ThoughtFilter {
 public:
  explicit ThoughtFilter(ThoughtMarks marks = {}, bool begins_with_thoughts = false);

  // What may be shown now that `piece` arrived; the view lives until the next call.
  std::string_view push(std::string_view piece);
  // The end of input: what was held back and is no thought.
  std::string_view finish();

  // What came last belongs to the thoughts.
  bool hides() const;

 private:
  enum class State { before, thoughts, answer, header };
  bool advance();
  bool advance_before();
  bool advance_thoughts();
  bool advance_channels();
  void take_text(std::string_view text);
  void take_mark(std::string_view mark);

  const ThoughtMarks marks_;
  State state_ = State::answer;
  bool thought_ = false;  // something was left out
  std::string
      header_;  // of a channel: what stands between <|start|> or <|channel|> and <|message|>
  bool shown_ = false;  // something of the answer
  bool gap_ = false;  // before what comes next of it
  std::string held_;
  std::string out_;
};

}  // namespace tars::llm
