#include "net/message/ascii.h"

#include <gtest/gtest.h>

#include <string>

namespace tars::net {
namespace {

TEST(Ascii, ComparesLettersWithoutCaseOnly) {
  EXPECT_TRUE(equals_ignoring_case("Content-Length", "content-LENGTH"));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));  // 0x20 apart as A and a are
}

TEST(Ascii, TokensHaveNoSeparators) {
  EXPECT_TRUE(is_token("tars.v1"));
  EXPECT_TRUE(is_token("!#$%&'*+-.^_`|~09azAZ"));
  EXPECT_FALSE(is_token(""));
  for (const char c : std::string(" \t\r\n:;,()<>@\"/[]?={}\\\x7f\0\x80", 24)) {
    EXPECT_FALSE(is_token_char(c)) << static_cast<int>(c);
  }
}

TEST(Ascii, FieldValuesCannotEndTheirLine) {
  EXPECT_TRUE(is_field_value("a b\tc \xc3\xa9"));
  EXPECT_TRUE(is_field_value(""));
  EXPECT_FALSE(is_field_value("a\r\nb"));
  EXPECT_FALSE(is_field_value("a\nb"));
  EXPECT_FALSE(is_field_value(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_field_value("\x7f"));
}

TEST(Ascii, TrimmedIsWithoutTheBlanksAroundIt) {
  EXPECT_EQ(trimmed(" \ta b\t "), "a b");
  EXPECT_EQ(trimmed("a"), "a");
  EXPECT_EQ(trimmed("\na\n"), "\na\n");
  EXPECT_EQ(trimmed(" \t"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Ascii, ListsAreSearchedByWholeElements) {
  EXPECT_TRUE(lists_token("keep-alive, Upgrade", "upgrade"));
  EXPECT_TRUE(lists_token(" upgrade ", "upgrade"));
  EXPECT_TRUE(lists_token(",,upgrade", "upgrade"));
  EXPECT_FALSE(lists_token("upgrades", "upgrade"));
  EXPECT_FALSE(lists_token("", "upgrade"));
}

}  // namespace
}  // namespace tars::net
