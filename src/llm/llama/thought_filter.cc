#include "llm/llama/thought_filter.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tars::llm {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kChannel = "<|channel|>";
constexpr std::string_view kMessage = "<|message|>";
constexpr std::string_view kStart = "<|start|>";
constexpr std::string_view kEnd = "<|end|>";
constexpr std::array kChannelMarks{kStart, kChannel, kMessage, kEnd};
// Longer than any that says something to us.
constexpr std::size_t kLongestHeader = 256;

// Of Mistral, Cohere, Gemma, Seed, and of nearly all others.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kPairs{
    {{"[THINK]", "[/THINK]"},
     {"<|START_THINKING|>", "<|END_THINKING|>"},
     {"<|channel>", "<channel|>"},
     {"<seed:think>", "</seed:think>"},
     {"<think>", "</think>"}}};

// The longest tail of `text` that begins `mark`.
std::size_t begun(std::string_view text, std::string_view mark) {
  for (std::size_t n = std::min(mark.size() - 1, text.size()); n > 0; --n) {
    if (text.ends_with(mark.substr(0, n))) return n;
  }
  return 0;
}

// "<|channel|>final", "<|channel|>final <|constrain|>json"; "<|channel|>commentary to=tool" is a
// call, and "<|channel|>commentary" what is said to the user about one.
bool is_for_the_user(std::string_view header) {
  if (header.find(" to=") != std::string_view::npos) return false;
  const std::size_t channel = header.find(kChannel);
  if (channel == std::string_view::npos) return true;
  header.remove_prefix(channel + kChannel.size());
  return header.starts_with("final") || header.starts_with("commentary");
}

}  // namespace

ThoughtMarks find_thought_marks(std::string_view chat_template,
                                const std::function<bool(std::string_view)>& is_token) {
  if (is_token(kChannel) && is_token(kMessage)) return {.channels = true};
  for (const auto& [opening, closing] : kPairs) {
    if (!is_token(closing) && chat_template.find(closing) == std::string_view::npos) continue;
    return {.opening = std::string(opening),
            .closing = std::string(closing),
            .spelt = !is_token(opening) || !is_token(closing)};
  }
  return {};
}

bool ThoughtMarks::includes(std::string_view token) const {
  if (channels) return std::ranges::find(kChannelMarks, token) != kChannelMarks.end();
  return !opening.empty() && (token == opening || token == closing);
}

bool may_mark_thoughts(std::string_view token) {
  return std::ranges::find(kChannelMarks, token) != kChannelMarks.end() ||
         std::ranges::any_of(kPairs, [token](const auto& pair) {
           return token == pair.first || token == pair.second;
         });
}

bool opens_thoughts(const ThoughtMarks& marks, std::string_view prompt) {
  prompt = prompt.substr(0, prompt.find_last_not_of(kBlanks) + 1);
  return !marks.opening.empty() && prompt.ends_with(marks.opening);
}

ThoughtFilter::ThoughtFilter(ThoughtMarks marks, bool begins_with_thoughts)
    : marks_(std::move(marks)) {
  if (!marks_.opening.empty()) state_ = begins_with_thoughts ? State::thoughts : State::before;
}

std::string_view ThoughtFilter::push(std::string_view piece, bool is_mark) {
  out_.clear();
  if (marks_.spelt) {
    held_ += piece;
    while (advance_spelt()) {
    }
  } else if (is_mark) {
    take_mark(piece);
  } else {
    take_text(piece);
  }
  return out_;
}

std::string_view ThoughtFilter::finish(bool by_itself) {
  out_.clear();
  take_text(held_);
  held_.clear();
  if (state_ == State::before && !thought_) out_ += blanks_;
  if (state_ == State::thoughts && by_itself) out_ += unclosed_;
  blanks_.clear();
  unclosed_.clear();
  return out_;
}

bool ThoughtFilter::hides() const {
  return state_ == State::thoughts || state_ == State::header ||
         (state_ == State::before && thought_);
}

// False when more input is needed.
bool ThoughtFilter::advance_spelt() {
  std::size_t text = held_.size();
  std::string_view mark;
  if (state_ == State::before) {
    const std::size_t begin = std::min(held_.find_first_not_of(kBlanks), held_.size());
    const std::string_view rest = std::string_view(held_).substr(begin);
    if (rest.starts_with(marks_.opening)) {
      mark = marks_.opening;
      text = begin;
    } else if (std::string_view(marks_.opening).starts_with(rest)) {
      return false;
    }
  } else if (state_ == State::thoughts) {
    if (const std::size_t end = held_.find(marks_.closing); end != std::string::npos) {
      mark = marks_.closing;
      text = end;
    } else {
      text -= begun(held_, marks_.closing);
    }
  }
  take_text(std::string_view(held_).substr(0, text));
  if (!mark.empty()) take_mark(mark);
  held_.erase(0, text + mark.size());
  return !mark.empty();
}

void ThoughtFilter::take_text(std::string_view text) {
  if (state_ == State::before) {
    const std::size_t blanks = std::min(text.find_first_not_of(kBlanks), text.size());
    blanks_ += text.substr(0, blanks);
    text.remove_prefix(blanks);
    if (text.empty()) return;
    if (!thought_) out_ += blanks_;
    state_ = State::answer;
  }
  if (text.empty()) return;
  if (state_ == State::thoughts) {
    if (!unclosed_.empty()) unclosed_ += text;
  } else if (state_ == State::header) {
    header_ += text.substr(0, kLongestHeader - std::min(kLongestHeader, header_.size()));
  } else {
    if (std::exchange(gap_, false)) out_ += "\n\n";
    shown_ = true;
    out_ += text;
  }
}

void ThoughtFilter::take_mark(std::string_view mark) {
  if (marks_.channels) return take_channel_mark(mark);
  if (state_ == State::before && mark == marks_.opening) {
    if (marks_.spelt) unclosed_ = (thought_ ? "" : blanks_) + marks_.opening;
    state_ = State::thoughts;
    thought_ = true;
  } else if (state_ == State::thoughts && mark == marks_.closing) {
    state_ = State::before;
    thought_ = true;
    blanks_.clear();
    unclosed_.clear();
  } else {
    take_text(mark);
  }
}

void ThoughtFilter::take_channel_mark(std::string_view mark) {
  if (mark == kMessage) {
    state_ = is_for_the_user(header_) ? State::answer : State::thoughts;
    header_.clear();
    gap_ = shown_;
    return;
  }
  // "<|start|>assistant to=tool<|channel|>commentary" is one header.
  if (state_ != State::header || mark != kChannel) header_.clear();
  if (mark == kChannel) header_ += mark;
  state_ = State::header;
}

}  // namespace tars::llm
