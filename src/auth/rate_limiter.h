// A token bucket per key with bounded memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/error.h"

namespace tars::auth {

// Thread-safe. Holds at most `max_keys` buckets: full ones are forgotten first, and when none is
// full the oldest goes, so an attacker with many addresses costs bounded memory.
class RateLimiter {
 public:
  RateLimiter(int per_minute, int burst, std::size_t max_keys, const Clock& clock);
  // Takes one permit, or answers rate_limited with retry_after (at least 1 s). per_minute 0 = no
  // limit.
  Result<void> take(std::string_view key);

 private:
  struct Bucket {
    double tokens;
    SteadyTime updated;
  };
  void make_room();
  const double per_second_;
  const double burst_;
  const std::size_t max_keys_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace tars::auth
