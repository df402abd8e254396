#include "chat/run.h"

#include <utility>

namespace tars::chat {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

}  // namespace

Run::Run(RunInfo info) : info_(std::move(info)) {}

void Run::start(int prompt_tokens, int cached_tokens) {
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
  if (log_.empty()) first_token_ = now;
  last_token_ = now;
  log_.append(text);
  tokens_ = log_.tokens();
}

void Run::append_rest(std::string_view rest) {
  std::lock_guard lock(mutex_);
  if (outcome_ || rest.empty()) return;
  if (log_.last_is_empty()) {
    log_.extend_last(rest);
  } else {
    log_.append(rest);
    tokens_ = log_.tokens();
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
    if (seconds > 0) outcome.tokens_per_second = static_cast<double>(log_.tokens() - 1) / seconds;
  }
  status_ = outcome.status;
  position_ = 0;
  outcome_ = std::move(outcome);
  log_.shrink();
}

void Run::wake() {
  std::lock_guard lock(wake_mutex_);
  for (const FollowerEntry& follower : followers_) follower.wake();
}

bool Run::set_position(int position) {
  std::lock_guard lock(mutex_);
  return std::exchange(position_, position) != position;
}

Slice Run::read(std::size_t offset, std::size_t max_bytes) const {
  std::lock_guard lock(mutex_);
  return log_.read(offset, max_bytes, outcome_.has_value());
}

std::size_t Run::tokens() const { return tokens_; }

std::size_t Run::memory() const {
  std::lock_guard lock(mutex_);
  return log_.memory();
}

std::vector<std::uint32_t> Run::lengths(std::size_t first, std::size_t count) const {
  std::lock_guard lock(mutex_);
  return log_.lengths(first, count);
}

RunStatus Run::status() const { return status_; }

int Run::position() const {
  std::lock_guard lock(mutex_);
  return position_;
}

std::optional<Outcome> Run::outcome() const {
  std::lock_guard lock(mutex_);
  return outcome_;
}

bool Run::has_ended() const {
  const RunStatus status = status_;
  return status != RunStatus::queued && status != RunStatus::running;
}

bool Run::was_refused() const {
  std::lock_guard lock(mutex_);
  return outcome_ && outcome_->error && outcome_->error->code == ErrorCode::overloaded &&
         log_.empty();
}

std::string Run::text() const {
  std::lock_guard lock(mutex_);
  return log_.text();
}

std::uint64_t Run::follow(std::function<void()> wake) {
  std::lock_guard lock(wake_mutex_);
  const std::uint64_t id = next_follower_++;
  followers_.push_back({id, std::move(wake)});
  return id;
}

std::size_t Run::unfollow(std::uint64_t id) {
  std::lock_guard lock(wake_mutex_);
  std::erase_if(followers_, [id](const FollowerEntry& entry) { return entry.id == id; });
  return followers_.size();
}

std::size_t Run::followers() const {
  std::lock_guard lock(wake_mutex_);
  return followers_.size();
}

}  // namespace tars::chat
