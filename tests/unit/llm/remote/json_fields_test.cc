#include "llm/remote/json_fields.h"

#include <gtest/gtest.h>

namespace tars::llm {
namespace {

TEST(JsonLine, ParsesOneAfterTheOtherAlsoBehindABrokenOne) {
  JsonLine line;
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(line.parse(R"({"a":[{"b":"an unfinished text that is longer than a small one)"));
    const auto value = line.parse(R"({"a":"b"})");
    ASSERT_TRUE(value);
    EXPECT_EQ(text_in(value->as_object(), "a"), "b");
  }
}

TEST(JsonLine, ManyLongOnesNeedTheMemoryOfOne) {
  JsonLine line;
  for (int i = 0; i < 200; ++i) {
    const auto value = line.parse(R"({"a":")" + std::string(20'000, 'x') + R"("})");
    ASSERT_TRUE(value) << i;
    EXPECT_EQ(text_in(value->as_object(), "a").size(), 20'000U);
  }
}

TEST(JsonLine, NestingIsBounded) {
  JsonLine line;
  EXPECT_TRUE(line.parse(std::string(30, '[') + std::string(30, ']')));
  EXPECT_FALSE(line.parse(std::string(100'000, '[')));
}

TEST(JsonFields, OtherTypesAreNothing) {
  const auto value = boost::json::parse(R"({"t":1,"n":"x","o":[],"big":1e18,"neg":-1})");
  const auto& object = value.as_object();
  EXPECT_EQ(text_in(object, "t"), "");
  EXPECT_EQ(text_in(object, "none"), "");
  EXPECT_EQ(count_in(object, "n"), 0);
  EXPECT_EQ(count_in(object, "big"), 0);
  EXPECT_EQ(count_in(object, "neg"), 0);
  EXPECT_EQ(object_in(object, "o"), nullptr);
}

TEST(JsonFields, WordsOfServersAreCutAndCleaned) {
  const auto said = [](const std::string& text) { return words(boost::json::value(text)); };
  EXPECT_EQ(said("a\nb\x1b"), "a b ");
  EXPECT_EQ(said(std::string(5000, 'x')).size(), 300U);
  // 300 is in the middle of a character here.
  std::string euros = "xx";
  for (int i = 0; i < 200; ++i) euros += "\u20ac";
  EXPECT_EQ(said(euros).size(), 299U);
  EXPECT_EQ(said("a\xFF"
                 "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(said(std::string(5000, '\xFF')).size(), 300U);
  EXPECT_EQ(words(boost::json::parse(R"({"message":"m","code":3})")), "m");
  EXPECT_EQ(words(boost::json::value(7)), "without saying why");
}

TEST(JsonFields, EveryServersWayToSayWhatIsWrongIsRead) {
  EXPECT_EQ(error_words(R"({"error":"a"})"), "a");
  // It may repeat a prompt that was cut within a character.
  EXPECT_EQ(error_words(R"({"error":"b \ud83d"})").substr(0, 2), "b ");
  EXPECT_EQ(error_field(R"({"error":{"message":"\ud83d","code":"c"}})", "code"), "c");
  EXPECT_EQ(error_words(R"({"error":{"message":"b"}})"), "b");
  EXPECT_EQ(error_words(R"({"object":"error","message":"c"})"), "c");
  EXPECT_EQ(error_words(R"({"detail":"d"})"), "d");
  EXPECT_EQ(error_words(R"({"detail":[{"loc":["body","top_p"],"msg":"too big"},{"msg":"e"}]})"),
            "top_p: too big; e");
  for (const char* none : {"", "[]", "<html>", "{}", R"({"detail":[7]})"}) {
    EXPECT_EQ(error_words(none), "") << none;
  }
  EXPECT_EQ(error_field(R"({"error":{"code":"x"}})", "code"), "x");
  EXPECT_EQ(error_field(R"({"error":{"code":404}})", "code"), "");
  EXPECT_EQ(error_field(R"({"error":{"param":"top_p"}})", "param"), "top_p");
  EXPECT_EQ(error_field(R"({"error":{"param":null}})", "param"), "");
}

TEST(JsonFields, AModelThatOnlyEmbedsIsNotListed) {
  const auto names = names_in(
      R"({"models":[{"name":"e","capabilities":["embedding"]},{"name":"c","capabilities":["completion","tools"]},{"name":"old"},{"name":"none","capabilities":[]}]})",
      "models", "name");
  ASSERT_TRUE(names);
  EXPECT_EQ(*names, (std::vector<std::string>{"c", "old", "none"}));
}

TEST(JsonFields, FloatsAreShownAsTheyWereWritten) {
  EXPECT_EQ(shown(0.7F), 0.7);
  EXPECT_EQ(shown(0.0F), 0.0);
}

TEST(JsonFields, ANameThatCannotBeShownIsLeftOut) {
  const auto names = names_in(R"({"models":[{"name":"a\nb"},{"name":"c"},{"name":"\u001b[2J"},)"
                              R"({"name":"\u009b2J"},{"name":"a\u202eb"}]})",
                              "models", "name");
  EXPECT_EQ(names.value(), std::vector<std::string>{"c"});
}

}  // namespace
}  // namespace tars::llm
