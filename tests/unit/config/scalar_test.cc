#include "config/scalar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tars::config {
namespace {

TEST(Scalar, IntegersAreWholeTextsThatFit) {
  EXPECT_EQ(parse_integer("-12"), -12);
  EXPECT_EQ(parse_integer("9223372036854775807"), 9223372036854775807);
  for (const char* bad :
       {"", " 1", "1 ", "+1", "1.0", "0x10", "9223372036854775808", "1e3", "--1"}) {
    EXPECT_EQ(parse_integer(bad), std::nullopt) << bad;
  }
}

TEST(Scalar, NumbersAreFinite) {
  EXPECT_EQ(parse_number("0.25"), 0.25);
  EXPECT_EQ(parse_number("1e2"), 100);
  for (const char* bad : {"", "nan", "inf", "-inf", "1,5", "1e999", "0.5x"}) {
    EXPECT_EQ(parse_number(bad), std::nullopt) << bad;
  }
}

TEST(Scalar, BooleansHaveFourSpellingsEach) {
  for (const char* yes : {"true", "TRUE", "1", "yes", "On"}) EXPECT_EQ(parse_boolean(yes), true);
  for (const char* no : {"false", "False", "0", "no", "OFF"}) EXPECT_EQ(parse_boolean(no), false);
  for (const char* bad : {"", "2", "y", "truee"}) EXPECT_EQ(parse_boolean(bad), std::nullopt);
}

TEST(Scalar, ADateIsItsFirstMoment) {
  EXPECT_EQ(parse_time("1970-01-02"), WallTime{std::chrono::hours{24}});
  EXPECT_EQ(parse_time("1970-01-02T01:00:00+01:00"), WallTime{std::chrono::hours{24}});
  for (const char* bad : {"", "1970-01-32", "1970-1-2", "86400", "1970-01-02T00:00"}) {
    EXPECT_EQ(parse_time(bad), std::nullopt) << bad;
  }
}

TEST(Scalar, ChoicesAreSpelledAsInTheTable) {
  EXPECT_EQ(find_choice("DEBUG|INFO", "info"), "INFO");
  EXPECT_EQ(find_choice("HS256", "hs256"), "HS256");
  EXPECT_EQ(find_choice("DEBUG|INFO", "DEBUG|INFO"), std::nullopt);
  EXPECT_EQ(find_choice("DEBUG|INFO", ""), std::nullopt);
}

TEST(Scalar, ListsDropBlanksAndEmptyParts) {
  EXPECT_THAT(split_list(" a, b c ,,d,"), testing::ElementsAre("a", "b c", "d"));
  EXPECT_TRUE(split_list("").empty());
  EXPECT_TRUE(split_list(" , ").empty());
}

TEST(Scalar, CaseIsIgnoredForWholeTextsOnly) {
  EXPECT_TRUE(equal_ignoring_case("Ab", "aB"));
  EXPECT_FALSE(equal_ignoring_case("a", "ab"));
}

}  // namespace
}  // namespace tars::config
