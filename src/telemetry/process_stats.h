// What the kernel says about this process (proc(5)).
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace tars::telemetry {

struct ProcessStats {
  std::uint64_t resident_bytes = 0;
  double cpu_seconds = 0;        // user and system, all threads
  std::uint64_t open_fds = 0;
  double start_time_seconds = 0;  // since 1970
};

// Reads /proc/self; a file that cannot be read leaves its figure 0.
ProcessStats read_process_stats();

// The figures, read again once they are a second old: with many sockets counting descriptors takes
// milliseconds. Thread-safe.
class RecentProcessStats {
 public:
  ProcessStats at(std::chrono::steady_clock::time_point now);

 private:
  std::mutex mutex_;
  ProcessStats stats_;
  std::chrono::steady_clock::time_point good_until_ = std::chrono::steady_clock::time_point::min();
};

struct StatLine {
  double cpu_seconds = 0;
  double start_seconds_after_boot = 0;
  std::uint64_t resident_pages = 0;
};

// The fields of /proc/PID/stat; the command in parentheses may itself hold blanks and parentheses.
// All zero when the line is malformed.
StatLine parse_stat_line(std::string_view line, long ticks_per_second);

}  // namespace tars::telemetry
