// Time as an argument: what is kept or compared with a time that another took is read from the
// clock that one is given, so tests can move it. The timers of sockets go by the machine's steady
// clock.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tars {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

// Wall time for tokens and timestamps (may jump), steady time for deadlines (never does).
// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() const = 0;
  virtual SteadyTime steady() const = 0;
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  WallTime wall() const override;
  SteadyTime steady() const override;
};

// RFC 3339 in UTC with microseconds and `Z`: 2026-11-24T16:10:00.123456Z.
std::string format_rfc3339(WallTime t);
void append_rfc3339(std::string& out, WallTime t);
// Any time that RFC 3339 section 5.6 allows: with `Z` or an offset such as +01:00, and fractions of
// which six digits count. No leap second. invalid_request otherwise.
Result<WallTime> parse_rfc3339(std::string_view text);
// Whole seconds since 1970, as JWT's NumericDate (RFC 7519 section 2) has it.
std::int64_t unix_seconds(WallTime t);

}  // namespace tars
