#include "telemetry/process_stats.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <ctime>
#include <string>

namespace tars::telemetry {
namespace {

TEST(ProcessStats, ReadsTheFieldsOfProcStat) {
  // utime 250, stime 50, starttime 1234, rss 99
  const StatLine stat = parse_stat_line(
      "42 (a b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 3 0 1234 1000000 99 0 0\n", 100);
  EXPECT_EQ(stat.cpu_seconds, 3.0);
  EXPECT_EQ(stat.start_seconds_after_boot, 12.34);
  EXPECT_EQ(stat.resident_pages, 99U);
}

TEST(ProcessStats, AMalformedLineIsZero) {
  for (const char* bad : {"", "42", "42 (x", "42 (x) S", "42 (x) S a b c d e f g h i j k l m n"}) {
    const StatLine stat = parse_stat_line(bad, 100);
    EXPECT_EQ(stat.cpu_seconds, 0) << bad;
    EXPECT_EQ(stat.resident_pages, 0U) << bad;
  }
  EXPECT_EQ(parse_stat_line("1 (x) S 1 2 3 4 5 6 7 8 9 10 250 50", 0).cpu_seconds, 0);
}

TEST(ProcessStats, ThisProcessHasMemoryDescriptorsAndABeginning) {
  const ProcessStats stats = read_process_stats();
  EXPECT_GT(stats.resident_bytes, 100'000U);
  EXPECT_GE(stats.open_fds, 1U);
  EXPECT_LE(stats.start_time_seconds, static_cast<double>(std::time(nullptr)) + 5);
  EXPECT_GT(stats.start_time_seconds, 1.7e9);
}

TEST(ProcessStats, RecentOnesAreReadOnceASecond) {
  using namespace std::chrono_literals;
  RecentProcessStats recent;
  const auto now = std::chrono::steady_clock::now();
  const auto before = recent.at(now).open_fds;
  const int another = ::dup(0);
  EXPECT_EQ(recent.at(now + 999ms).open_fds, before);
  EXPECT_EQ(recent.at(now + 1s).open_fds, before + 1);
  ::close(another);
}

}  // namespace
}  // namespace tars::telemetry
