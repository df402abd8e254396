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
  // The pair is made of ordinary tokens: only the text tells it, and only at the beginning.
  bool spelt = false;

  // Whether a token with this text is one of the marks.
  bool includes(std::string_view token) const;
};

// Of the model that has such tokens, or whose chat template speaks of such a mark. All others may
// say <think> as they like.
ThoughtMarks find_thought_marks(std::string_view chat_template,
                                const std::function<bool(std::string_view)>& is_token);

// Whether some model marks its thoughts with a token of this text.
bool may_mark_thoughts(std::string_view token);

// Some templates open the thoughts themselves: the model then begins with them.
bool opens_thoughts(const ThoughtMarks& marks, std::string_view prompt);

// Leaves thoughts out of a model's text: what stands between the marks at its beginning, or every
// channel but those that are for the user. A mark is a token of its own, and a model that spells
// its characters only speaks of it; all but a spelt pair is told apart by that. The joined output
// depends only on the marks and the joined text between them, not on where the pieces were cut.
// Holds blanks at the beginning, and of a spelt pair what may become a mark and what it began. For
// one thread.
class ThoughtFilter {
 public:
  explicit ThoughtFilter(ThoughtMarks marks = {}, bool begins_with_thoughts = false);

  // What may be shown now that `piece` arrived; the view lives until the next call. `is_mark`: it
  // is one whole token, which marks_.includes().
  std::string_view push(std::string_view piece, bool is_mark);
  // The end of input: what was held back and is no thought. `by_itself`: the model had no more to
  // say; what begins with a spelt <think> and has no end is then the answer.
  std::string_view finish(bool by_itself);

  // What came last belongs to the thoughts.
  bool hides() const;

 private:
  enum class State { before, thoughts, answer, header };
  bool advance_spelt();
  void take_text(std::string_view text);
  void take_mark(std::string_view mark);
  void take_channel_mark(std::string_view mark);

  const ThoughtMarks marks_;
  State state_ = State::answer;
  bool thought_ = false;  // something was left out
  std::string blanks_;  // in State::before
  std::string
      unclosed_;  // of a spelt pair that the model opened: what it may turn out to have said
  // Of a channel: what stands between <|start|> or <|channel|> and <|message|>.
  std::string header_;
  bool shown_ = false;  // something of the answer
  bool gap_ = false;  // before what comes next of it
  std::string held_;  // of a spelt pair: text that was not taken yet
  std::string out_;
};

}  // namespace tars::llm
