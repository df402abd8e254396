#include <gtest/gtest.h>

#include "config/values.h"

namespace tars::config {
namespace {

bool accepts(std::string_view name, std::string_view value) {
  return check_value(*find_option(name), value).has_value();
}

std::string problem(std::string_view name, std::string_view value) {
  const auto checked = check_value(*find_option(name), value);
  return checked ? "none" : checked.error().message;
}

TEST(CheckValue, IntegersStayInTheirBounds) {
  EXPECT_TRUE(accepts("TARS_PORT", "0"));
  EXPECT_TRUE(accepts("TARS_PORT", "65535"));
  EXPECT_EQ(problem("TARS_PORT", "65536"), "is not an integer from 0 to 65535");
  EXPECT_FALSE(accepts("TARS_PORT", "-1"));
  EXPECT_FALSE(accepts("TARS_PORT", "http"));
}

TEST(CheckValue, AKeywordReplacesANumber) {
  EXPECT_TRUE(accepts("MODEL_THREADS", "auto"));
  EXPECT_TRUE(accepts("MODEL_THREADS", "AUTO"));
  EXPECT_FALSE(accepts("MODEL_THREADS", "0"));
  EXPECT_FALSE(accepts("IO_THREADS", "auto"));
}

TEST(CheckValue, NumbersPairsAndBooleans) {
  EXPECT_TRUE(accepts("MODEL_TEMPERATURE", "2"));
  EXPECT_FALSE(accepts("MODEL_TEMPERATURE", "2.1"));
  EXPECT_TRUE(accepts("RUNS_PER_CLIENT", "4, 16"));
  for (const char* bad : {"4", "4,", "0,1", "1,2,3", "a,b"})
    EXPECT_FALSE(accepts("RUNS_PER_CLIENT", bad));
  EXPECT_TRUE(accepts("HTTPS_ENABLED", "No"));
  EXPECT_EQ(problem("HTTPS_ENABLED", "maybe"), "is not true or false");
}

TEST(CheckValue, TextHasALength) {
  EXPECT_EQ(problem("JWT_SECRET_KEY", "short"), "has 5 bytes, not text of 32 to 4096 bytes");
  EXPECT_TRUE(accepts("JWT_SECRET_KEY", std::string(32, 'x')));
}

TEST(CheckValue, UrlsTimesAndChoices) {
  EXPECT_TRUE(accepts("OPENAI_BASE_URL", "http://localhost:9000/v1"));
  for (const char* bad : {"localhost", "ftp://x", "http://", "http://a b"}) {
    EXPECT_FALSE(accepts("OPENAI_BASE_URL", bad)) << bad;
  }
  EXPECT_TRUE(accepts("JWT_PREVIOUS_VALID_UNTIL", "2026-12-31T00:00:00Z"));
  EXPECT_TRUE(accepts("JWT_PREVIOUS_VALID_UNTIL", "2026-12-31"));
  EXPECT_FALSE(accepts("JWT_PREVIOUS_VALID_UNTIL", "tomorrow"));
  EXPECT_EQ(problem("TARS_ENV", "staging"), "is not development or production");
  EXPECT_FALSE(accepts("JWT_ALGORITHM", "none"));
}

TEST(CheckValue, RefusesWhatIsNoText) {
  EXPECT_EQ(problem("MODEL_PATH", "\xFF"), "is not UTF-8 text");
  EXPECT_EQ(problem("MODEL_PATH", std::string_view("a\0b", 3)), "holds a zero byte");
}

}  // namespace
}  // namespace tars::config
