#include "telemetry/log_line.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <limits>

namespace tars::telemetry {
namespace {

std::string line(LogFormat format, std::string_view event, std::initializer_list<Field> fields) {
  return format_log_line(format, WallTime{}, LogLevel::warning, event,
                         std::span<const Field>(fields.begin(), fields.size()));
}

TEST(LogLine, TextIsBareWhereItCanBe) {
  EXPECT_EQ(
      line(LogFormat::text, "disk is full",
           {{"path", "/var/x"},
            {"note", "two words"},
            {"n", 3},
            {"s", 1.25},
            {"ok", true},
            {"empty", ""}}),
      "1970-01-01T00:00:00.000000Z WARNING disk is full path=/var/x note=\"two words\" n=3 s=1.25 "
      "ok=true empty=\"\"");
}

TEST(LogLine, JsonIsOneObject) {
  const auto parsed = boost::json::parse(
      line(LogFormat::json, "disk is full",
           {{"path", "/var/x"}, {"n", std::int64_t{-5}}, {"ratio", 0.5}, {"ok", false}}));
  EXPECT_EQ(parsed.at("time").as_string(), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(parsed.at("level").as_string(), "warning");
  EXPECT_EQ(parsed.at("event").as_string(), "disk is full");
  EXPECT_EQ(parsed.at("path").as_string(), "/var/x");
  EXPECT_EQ(parsed.at("n").as_int64(), -5);
  EXPECT_EQ(parsed.at("ratio").as_double(), 0.5);
  EXPECT_FALSE(parsed.at("ok").as_bool());
}

TEST(LogLine, NoValueForgesALineOrAField) {
  for (const LogFormat format : {LogFormat::text, LogFormat::json}) {
    const std::string text = line(format, "bad\ninput", {{"v", "a\nb\r\x1b[0m=\"\xFF"}});
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_EQ(text.find('\r'), std::string::npos);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\xFF'), std::string::npos);
  }
  EXPECT_EQ(line(LogFormat::text, "e", {{"v", "a\xC2\x9B\x32J"}}),
            "1970-01-01T00:00:00.000000Z WARNING e v=\"a 2J\"");
  EXPECT_EQ(line(LogFormat::text, "e", {{"v", "a b=c"}}),
            "1970-01-01T00:00:00.000000Z WARNING e v=\"a b=c\"");
}

TEST(LogLine, AFieldCannotReplaceTheLinesOwn) {
  const auto parsed = boost::json::parse(line(LogFormat::json, "e", {{"level", "error"}}));
  EXPECT_EQ(parsed.at("level").as_string(), "warning");
}

TEST(LogLine, NumbersThatJsonLacksAreNull) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(boost::json::parse(line(LogFormat::json, "e", {{"v", nan}})).at("v").is_null());
}

}  // namespace
}  // namespace tars::telemetry
