#include "base/clock.h"

#include <gtest/gtest.h>

namespace tars {
namespace {

using namespace std::chrono_literals;

TEST(Clock, FormatsMicrosecondsAndZ) {
  EXPECT_EQ(format_rfc3339(WallTime{}), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(format_rfc3339(WallTime{1795536600123456us}), "2026-11-24T16:10:00.123456Z");
  EXPECT_EQ(format_rfc3339(WallTime{-1us}), "1969-12-31T23:59:59.999999Z");
}

TEST(Clock, ParsesWhatItFormats) {
  for (const WallTime t : {WallTime{}, WallTime{1795536600123456us}, WallTime{-1us}}) {
    EXPECT_EQ(parse_rfc3339(format_rfc3339(t)).value(), t);
  }
}

TEST(Clock, ParsesShortFractions) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:01Z").value(), WallTime{1s});
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:01.5Z").value(), WallTime{1500ms});
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z").value() - WallTime{}, 1709164800s);
}

// As Python, `date` and JavaScript write them.
TEST(Clock, ParsesOffsetsAndLongFractions) {
  const WallTime t = WallTime{1795536600123456us};
  for (const char* same :
       {"2026-11-24T16:10:00.123456+00:00", "2026-11-24T17:10:00.123456+01:00",
        "2026-11-24T10:40:00.123456-05:30", "2026-11-25T00:10:00.123456789+08:00",
        "2026-11-24t16:10:00.1234569z", "2026-11-24T16:10:00.123456-00:00"}) {
    EXPECT_EQ(parse_rfc3339(same).value(), t) << same;
  }
}

TEST(Clock, RefusesWhatIsNoTime) {
  for (const char* bad : {"",
                          "2026",
                          "2026-11-24",
                          "2026-11-24T16:10:00",
                          "2026-11-24T16:10:00+0100",
                          "2026-11-24T16:10:00+01",
                          "2026-11-24T16:10:00+24:00",
                          "2026-11-24T16:10:00+01:60",
                          "2026-11-24T16:10:00 01:00",
                          "2026-11-24T16:10:00+01:00Z",
                          "2026-11-24T16:10:00+-1:00",
                          "2026-11-24T16:10:00.+01:00",
                          "2026-11-24 16:10:00Z",
                          "2026-13-01T00:00:00Z",
                          "2026-02-29T00:00:00Z",
                          "2026-11-24T24:00:00Z",
                          "2026-11-24T16:60:00Z",
                          "2026-11-24T16:10:60Z",
                          "2026-11-24T16:10:00.Z",
                          "2026-11-24T16:10:00.1234567",
                          "2026-11-24T16:10:00,5Z",
                          "2026-11-24T16:10:00.-5Z",
                          "2026-11-24T16:10:00ZZ",
                          "-026-11-24T16:10:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  }
}

TEST(Clock, NumericDatesAreRoundedDown) {
  EXPECT_EQ(unix_seconds(WallTime{1999999us}), 1);
  EXPECT_EQ(unix_seconds(WallTime{-1us}), -1);
}

TEST(Clock, TheMachinesSteadyClockNeverGoesBack) {
  const SystemClock clock;
  const SteadyTime first = clock.steady();
  EXPECT_LE(first, clock.steady());
  EXPECT_GT(unix_seconds(clock.wall()), 1700000000);
}

}  // namespace
}  // namespace tars
