#include "chat/run.h"

#include <algorithm>
#include <utility>

namespace tars::chat {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

}  // namespace

Run::Run(RunInfo info) : info_(std::move(info)) {}

void Run::start(int prompt_tokens, int cached_tokens, SteadyTime) {
  std::lock_guard lock(mutex_);
  if (outcome_) return;
  prompt_tokens_ = prompt_tokens;
  cached_tokens_ = cached_tokens;
  status_ = RunStatus::running;
  position_ = 0;
}

void Run::append(std::string_view text, SteadyTime now) {
  std::lock_guard lock(mutex_);
  if (outcome_) return;
  if (ends_.empty()) first_token_ = now;
  last_token_ = now;
  text_ += text;
  ends_.push_back(static_cast<std::uint32_t>(text_.size()));
}

void Run::append_rest(std::string_view rest) {
  std::lock_guard lock(mutex_);
  if (outcome_ || rest.empty()) return;
  const std::size_t before = ends_.size() < 2 ? 0 : ends_[ends_.size() - 2];
  const bool last_is_unread = !ends_.empty() && ends_.back() == before;
  text_ += rest;
  const auto end = static_cast<std::uint32_t>(text_.size());
  if (last_is_unread) {
    ends_.back() = end;
  } else {
    ends_.push_back(end);
  }
}

void Run::finish(Outcome outcome) {
  std::lock_guard lock(mutex_);
  if (outcome_) return;
  if (outcome.prompt_tokens == 0) {
    outcome.prompt_tokens = prompt_tokens_;
    outcome.cached_tokens = cached_tokens_;
  }
  if (first_token_ != SteadyTime{}) {
    outcome.ttft_ms = Milliseconds(first_token_ - info_.submitted_at).count();
    const double seconds = std::chrono::duration<double>(last_token_ - first_token_).count();
    if (seconds > 0) outcome.tokens_per_second = static_cast<double>(ends_.size() - 1) / seconds;
  }
  status_ = outcome.status;
  position_ = 0;
  outcome_ = std::move(outcome);
}

void Run::wake() {
  std::lock_guard lock(wake_mutex_);
  for (const auto& [id, call] : followers_) call();
}

bool Run::set_position(int position) {
  std::lock_guard lock(mutex_);
  return std::exchange(position_, position) != position;
}

Slice Run::read(std::size_t offset, std::size_t max_bytes) const {
  std::lock_guard lock(mutex_);
  Slice slice{.text = {}, .first = offset, .count = 0};
  if (offset >= ends_.size()) return slice;
  const std::size_t begin = offset == 0 ? 0 : ends_[offset - 1];
  const auto from = ends_.begin() + static_cast<std::ptrdiff_t>(offset);
  // At least one token with text, however long it is, so that every reader gets on.
  const auto first_with_text = std::upper_bound(from, ends_.end(), begin);
  std::size_t end = begin;
  auto last = from;  // one past the slice
  if (first_with_text != ends_.end()) {
    const auto fits = std::upper_bound(first_with_text, ends_.end(), begin + max_bytes);
    end = fits == first_with_text ? *first_with_text : *(fits - 1);
    last = std::lower_bound(from, ends_.end(), end) + 1;  // without the empty tokens that follow
  }
  if (outcome_ && end == text_.size()) last = ends_.end();
  slice.text = text_.substr(begin, end - begin);
  slice.count = static_cast<std::size_t>(last - from);
  return slice;
}

std::size_t Run::tokens() const {
  std::lock_guard lock(mutex_);
  return ends_.size();
}

std::vector<std::uint32_t> Run::lengths(std::size_t first, std::size_t count) const {
  std::lock_guard lock(mutex_);
  std::vector<std::uint32_t> lengths;
  for (std::size_t i = first; i < ends_.size() && lengths.size() < count; ++i) {
    lengths.push_back(ends_[i] - (i == 0 ? 0 : ends_[i - 1]));
  }
  return lengths;
}

RunStatus Run::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

int Run::position() const {
  std::lock_guard lock(mutex_);
  return position_;
}

std::optional<Outcome> Run::outcome() const {
  std::lock_guard lock(mutex_);
  return outcome_;
}

bool Run::has_ended() const {
  std::lock_guard lock(mutex_);
  return outcome_.has_value();
}

std::string Run::text() const {
  std::lock_guard lock(mutex_);
  return text_;
}

std::uint64_t Run::follow(std::function<void()> wake) {
  std::lock_guard lock(wake_mutex_);
  const std::uint64_t id = next_follower_++;
  followers_.emplace(id, std::move(wake));
  return id;
}

std::size_t Run::unfollow(std::uint64_t id) {
  std::lock_guard lock(wake_mutex_);
  followers_.erase(id);
  return followers_.size();
}

std::size_t Run::followers() const {
  std::lock_guard lock(wake_mutex_);
  return followers_.size();
}

}  // namespace tars::chat
