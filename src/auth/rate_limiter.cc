#include "auth/rate_limiter.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tars::auth {

namespace {

double seconds_between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

RateLimiter::RateLimiter(int per_minute, int burst, std::size_t max_keys, const Clock& clock)
    : per_second_(per_minute / 60.0),
      burst_(std::max(burst, 1)),
      max_keys_(std::max<std::size_t>(max_keys, 1)),
      clock_(clock) {}

Result<void> RateLimiter::take(std::string_view key) {
  if (per_second_ <= 0) return {};
  const SteadyTime now = clock_.steady();
  std::lock_guard lock(mutex_);
  auto found = buckets_.find(std::string(key));
  if (found == buckets_.end()) {
    if (buckets_.size() >= max_keys_) make_room();
    found = buckets_.emplace(std::string(key), Bucket{burst_, now}).first;
  }
  Bucket& bucket = found->second;
  const double grown = seconds_between(bucket.updated, now) * per_second_;
  bucket.tokens = std::min(burst_, bucket.tokens + grown);
  bucket.updated = now;
  if (bucket.tokens < 1) {
    const auto wait = static_cast<std::int64_t>(std::ceil((1 - bucket.tokens) / per_second_));
    return Error{.code = ErrorCode::rate_limited,
                 .message = "too many requests from this address, try again later",
                 .retry_after = std::chrono::seconds(std::max<std::int64_t>(wait, 1))};
  }
  bucket.tokens -= 1;
  return {};
}

// A full bucket says nothing that a new one would not. When none is full, a sixteenth goes at once,
// the oldest, so that a stream of new addresses does not pay for a whole scan each.
void RateLimiter::make_room() {
  const SteadyTime now = clock_.steady();
  std::erase_if(buckets_, [&](const auto& entry) {
    const Bucket& bucket = entry.second;
    return bucket.tokens + seconds_between(bucket.updated, now) * per_second_ >= burst_;
  });
  if (buckets_.size() < max_keys_) return;
  std::vector<SteadyTime> times;
  times.reserve(buckets_.size());
  for (const auto& [key, bucket] : buckets_) times.push_back(bucket.updated);
  const auto cut = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 16);
  std::nth_element(times.begin(), cut, times.end());
  std::size_t left = times.size() / 16 + 1;
  std::erase_if(buckets_, [&](const auto& entry) {
    if (left == 0 || entry.second.updated > *cut) return false;
    --left;
    return true;
  });
}

}  // namespace tars::auth
