#include "telemetry/process_stats.h"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace tars::telemetry {
namespace {

std::string read_file(const char* path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::uint64_t count_open_fds() {
  std::error_code error;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  // The directory's own descriptor was one of them.
  return count > 0 ? count - 1 : 0;
}

// Seconds since 1970 at which the machine started: "btime N" in /proc/stat.
double boot_time() {
  std::ifstream in("/proc/stat");
  std::string word;
  while (in >> word) {
    double value = 0;
    if (word == "btime" && in >> value) return value;
  }
  return 0;
}

std::uint64_t number(const std::vector<std::string_view>& fields, std::size_t index) {
  std::uint64_t value = 0;
  if (index < fields.size()) {
    std::from_chars(fields[index].data(), fields[index].data() + fields[index].size(), value);
  }
  return value;
}

}  // namespace

StatLine parse_stat_line(std::string_view line, long ticks_per_second) {
  const std::size_t paren = line.rfind(')');
  if (paren == std::string_view::npos || ticks_per_second <= 0) return {};
  line.remove_prefix(paren + 1);
  std::vector<std::string_view> fields;  // fields[0] is the third field of proc(5), the state
  while (!line.empty()) {
    const std::size_t begin = line.find_first_not_of(" \n");
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(" \n"), line.size());
    fields.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  const auto ticks = static_cast<double>(ticks_per_second);
  StatLine out;
  out.cpu_seconds = static_cast<double>(number(fields, 14 - 3) + number(fields, 15 - 3)) / ticks;
  out.start_seconds_after_boot = static_cast<double>(number(fields, 22 - 3)) / ticks;
  out.resident_pages = number(fields, 24 - 3);
  return out;
}

ProcessStats read_process_stats() {
  const StatLine stat = parse_stat_line(read_file("/proc/self/stat"), sysconf(_SC_CLK_TCK));
  ProcessStats out;
  out.resident_bytes = stat.resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  out.cpu_seconds = stat.cpu_seconds;
  out.open_fds = count_open_fds();
  out.start_time_seconds = boot_time() + stat.start_seconds_after_boot;
  return out;
}

ProcessStats RecentProcessStats::at(std::chrono::steady_clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (now >= good_until_) {
    stats_ = read_process_stats();
    good_until_ = now + std::chrono::seconds(1);
  }
  return stats_;
}

}  // namespace tars::telemetry
