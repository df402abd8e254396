#include "base/utf8.h"

#include <gtest/gtest.h>

namespace tars {
namespace {

constexpr std::string_view kFffd = "\xEF\xBF\xBD";

TEST(Utf8, TellsFirstBytesFromThoseBehindThem) {
  std::string pattern;
  for (const char byte : std::string_view("a\u00e4\u20ac\U0001f600")) {
    pattern += continues_utf8_character(byte) ? '.' : '|';
  }
  EXPECT_EQ(pattern, "||.|..|...");
}

TEST(Utf8, CountsCodePoints) {
  EXPECT_EQ(count_code_points(""), 0U);
  EXPECT_EQ(count_code_points("aé€😀"), 4U);
  EXPECT_EQ(count_code_points(std::string_view("\0", 1)), 1U);
  EXPECT_EQ(count_code_points("\xF4\x8F\xBF\xBF"), 1U);  // U+10FFFF
}

TEST(Utf8, RefusesIllFormedText) {
  for (const char* bad :
       {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xE2\x82", "\xC3("}) {
    EXPECT_FALSE(is_valid_utf8(bad));
    EXPECT_EQ(count_code_points(bad), std::nullopt);
  }
}

TEST(Utf8, OneBadByteIsFoundAtEachPlace) {
  for (std::size_t size = 1; size <= 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      EXPECT_TRUE(is_valid_utf8(text));
      text[at] = '\x80';
      EXPECT_FALSE(is_valid_utf8(text)) << size << ' ' << at;
    }
  }
}

TEST(Utf8, AnUnfinishedCharacterIsHeldBack) {
  const std::string smile = "a😀";
  EXPECT_EQ(complete_utf8_prefix(smile), 5U);
  for (std::size_t n = 2; n < 5; ++n) {
    EXPECT_EQ(complete_utf8_prefix(std::string_view(smile).substr(0, n)), 1U) << n;
  }
  EXPECT_EQ(complete_utf8_prefix(""), 0U);
}

TEST(Utf8, BytesThatCannotBecomeACharacterAreNotHeldBack) {
  EXPECT_EQ(complete_utf8_prefix("a\xFF"), 2U);
  EXPECT_EQ(complete_utf8_prefix("a\x80\x80\x80\x80"), 5U);
  EXPECT_EQ(complete_utf8_prefix("\xED\xA0"), 2U);
  EXPECT_EQ(complete_utf8_prefix("\xE2("), 2U);
}

// The example of Unicode 15, section 3.9, table 3-8.
TEST(Utf8, EachMaximalIllFormedPartBecomesOneReplacement) {
  std::string expected = "a";
  for (int i = 0; i < 3; ++i) expected += kFffd;
  expected += "b";
  expected += kFffd;
  expected += "c";
  expected += kFffd;
  expected += kFffd;
  expected += "d";
  EXPECT_EQ(replace_invalid_utf8("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"), expected);
}

TEST(Utf8, ControlCharactersAreFoundAndReplaced) {
  const std::pair<std::string, std::string> rows[] = {{"a\nb", "a b"},
                                                      {"a\x7F", "a "},
                                                      {"a\xC2\x9B\x32J", "a 2J"},
                                                      {"\xC2\x85", " "},
                                                      {"a\xE2\x80\xA8z", "a z"},
                                                      {"\xE2\x80\xAE"
                                                       "evil",
                                                       " evil"},
                                                      {"\xE2\x81\xA6", " "},
                                                      {std::string(1, '\0'), " "}};
  for (const auto& [text, replaced] : rows) {
    EXPECT_TRUE(has_control_characters(text)) << text;
    EXPECT_EQ(replace_control_characters(text), replaced);
  }
  for (const std::string text :
       {"", "Grüße, 世界 🙂", "\xC2\xA0", "\xE2\x80\x93", "\xE2\x80", "\xC2"}) {
    EXPECT_FALSE(has_control_characters(text)) << text;
    EXPECT_EQ(replace_control_characters(text), text);
  }
}

TEST(Utf8, ValidTextStaysAsItIs) { EXPECT_EQ(replace_invalid_utf8("aé€😀"), "aé€😀"); }

}  // namespace
}  // namespace tars
