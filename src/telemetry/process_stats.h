// What the kernel says about this process (proc(5)).
#pragma once

#include <cstdint>
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

struct StatLine {
  double cpu_seconds = 0;
  double start_seconds_after_boot = 0;
  std::uint64_t resident_pages = 0;
};

// The fields of /proc/PID/stat; the command in parentheses may itself hold blanks and parentheses.
// All zero when the line is malformed.
StatLine parse_stat_line(std::string_view line, long ticks_per_second);

}  // namespace tars::telemetry
