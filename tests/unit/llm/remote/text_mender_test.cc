#include "llm/remote/text_mender.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/utf8.h"
#include "llm/remote/json_fields.h"

namespace tars::llm {
namespace {

const std::string kSmile = "\xF0\x9F\x98\x80";
const std::string kBad = "\xEF\xBF\xBD";

std::string mend(const std::vector<std::string>& pieces) {
  TextMender mender;
  std::string out;
  for (const std::string& piece : pieces) {
    const std::string_view given = mender.push(piece);
    EXPECT_TRUE(is_valid_utf8(given));
    out += given;
  }
  return out += mender.finish();
}

TEST(TextMender, WholeTextIsNotTouched) {
  const std::string text = "caf\xC3\xA9 " + kSmile;
  TextMender mender;
  EXPECT_EQ(mender.push(text).data(), text.data());
  EXPECT_EQ(mender.finish(), "");
}

TEST(TextMender, ACharacterThatIsCutAnywhereIsJoined) {
  for (std::size_t cut = 1; cut < kSmile.size(); ++cut) {
    EXPECT_EQ(mend({"a" + kSmile.substr(0, cut), kSmile.substr(cut) + "b"}), "a" + kSmile + "b");
  }
  EXPECT_EQ(mend({"a\xED\xA0\xBD",
                  "\xED\xB8\x80"
                  "b"}),
            "a" + kSmile + "b");
  EXPECT_EQ(mend({"a\xED\xA0\xBD\xED\xB8\x80"
                  "b"}),
            "a" + kSmile + "b");
}

TEST(TextMender, WhatIsNoCharacterIsReplaced) {
  EXPECT_EQ(mend({"a\xFF", "b"}), "a" + kBad + "b");
  EXPECT_EQ(mend({"a\xC3", "b"}), "a" + kBad + "b");
  EXPECT_EQ(mend({"a\xC3"}), "a" + kBad);
  EXPECT_EQ(mend({"a\xED\xA0\xBD", "b"}), "a" + kBad + "b");
  EXPECT_EQ(mend({"a\xED\xA0\xBD"}), "a" + kBad);
  EXPECT_EQ(mend({"a\xED\xB8\x80", "b"}), "a" + kBad + "b");
  EXPECT_EQ(mend({"\xED\xA0\xBD", "\xED\xA0\xBD", "\xED\xB8\x80"}), kBad + kSmile);
}

// What a line's text comes to, each line being the text of one JSON string.
std::string read(const std::vector<std::string>& lines) {
  JsonLine parser;
  std::vector<std::string> texts;
  for (const std::string& line : lines) {
    const auto value = parser.parse("{\"t\":\"" + line + "\"}");
    EXPECT_TRUE(value) << line;
    if (value) texts.emplace_back(text_in(value->as_object(), "t"));
  }
  return mend(texts);
}

TEST(JsonLine, HalfAPairAndBadBytesAreNoFault) {
  EXPECT_EQ(read({R"(a\ud83d)", R"(\uDE00b)"}), "a" + kSmile + "b");
  EXPECT_EQ(read({R"(a\ud83d b)"}), "a" + kBad + " b");
  EXPECT_EQ(read({R"(\ude00\ud83d\ude00\n\ud83dx)"}), kBad + kSmile + "\n" + kBad + "x");
  EXPECT_EQ(read({R"(\ud83d\n\\ud83d)"}), kBad + "\n\\ud83d");
  EXPECT_EQ(read({"a\xFF"
                  "b"}),
            "a" + kBad + "b");
  EXPECT_EQ(read({"\xF0\x9F", "\x98\x80"}), kSmile);
}

TEST(JsonLine, BrokenSyntaxStaysAFault) {
  JsonLine parser;
  for (const char* text : {R"({"t":"\ud83d)", R"({"t":"\ud8"})", R"({"t":\ud83d})", "{\xFF}"}) {
    EXPECT_FALSE(parser.parse(text)) << text;
  }
}

}  // namespace
}  // namespace tars::llm
