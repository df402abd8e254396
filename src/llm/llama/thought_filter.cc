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
    return {.opening = std::string(opening), .closing = std::string(closing)};
  }
  return {};
}

bool is_thought_mark(std::string_view token) {
  return std::ranges::any_of(
      kPairs, [token](const auto& pair) { return token == pair.first || token == pair.second; });
}

bool opens_thoughts(const ThoughtMarks& marks, std::string_view prompt) {
  prompt = prompt.substr(0, prompt.find_last_not_of(kBlanks) + 1);
  return !marks.opening.empty() && prompt.ends_with(marks.opening);
}

ThoughtFilter::ThoughtFilter(ThoughtMarks marks, bool begins_with_thoughts)
    : marks_(std::move(marks)) {
  if (!marks_.opening.empty()) state_ = begins_with_thoughts ? State::thoughts : State::before;
}

std::string_view ThoughtFilter::push(std::string_view piece) {
  out_.clear();
  held_ += piece;
  while (advance()) {
  }
  return out_;
}

std::string_view ThoughtFilter::finish() {
  out_.clear();
  if (state_ == State::before && thought_) held_.erase(0, held_.find_first_not_of(kBlanks));
  if (state_ == State::before || state_ == State::answer) take_text(held_);
  held_.clear();
  return out_;
}

bool ThoughtFilter::hides() const {
  return state_ == State::thoughts || state_ == State::header ||
         (state_ == State::before && thought_);
}

// False when more input is needed.
bool ThoughtFilter::advance() {
  if (marks_.channels) return advance_channels();
  switch (state_) {
    case State::before: return advance_before();
    case State::thoughts: return advance_thoughts();
    default: break;
  }
  out_ += held_;
  held_.clear();
  return false;
}

bool ThoughtFilter::advance_before() {
  const std::size_t begin = held_.find_first_not_of(kBlanks);
  if (begin == std::string::npos) return false;
  const std::string_view text = std::string_view(held_).substr(begin);
  if (text.starts_with(marks_.opening)) {
    held_.erase(0, begin + marks_.opening.size());
    state_ = State::thoughts;
    return true;
  }
  if (std::string_view(marks_.opening).starts_with(text)) return false;
  if (thought_) held_.erase(0, begin);
  state_ = State::answer;
  return true;
}

bool ThoughtFilter::advance_thoughts() {
  thought_ = true;
  const std::size_t end = held_.find(marks_.closing);
  if (end == std::string::npos) {
    held_.erase(0, held_.size() - begun(held_, marks_.closing));
    return false;
  }
  held_.erase(0, end + marks_.closing.size());
  state_ = State::before;
  return true;
}

bool ThoughtFilter::advance_channels() {
  std::size_t first = std::string::npos;
  std::size_t keep = 0;
  std::string_view found;
  for (const std::string_view mark : kChannelMarks) {
    keep = std::max(keep, begun(held_, mark));
    const std::size_t at = held_.find(mark);
    if (at >= first) continue;
    first = at;
    found = mark;
  }
  const std::size_t text = found.empty() ? held_.size() - keep : first;
  take_text(std::string_view(held_).substr(0, text));
  if (!found.empty()) take_mark(found);
  held_.erase(0, text + found.size());
  return !found.empty();
}

void ThoughtFilter::take_text(std::string_view text) {
  if (text.empty()) return;
  if (state_ == State::header) {
    header_ += text.substr(0, kLongestHeader - std::min(kLongestHeader, header_.size()));
  } else if (state_ == State::answer || state_ == State::before) {
    if (std::exchange(gap_, false)) out_ += "\n\n";
    shown_ = true;
    out_ += text;
  }
}

void ThoughtFilter::take_mark(std::string_view mark) {
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
