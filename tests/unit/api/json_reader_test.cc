#include "api/json_reader.h"

#include <gtest/gtest.h>

namespace tars::api {
namespace {

TEST(JsonDocument, TellsMalformedFromMisshapen) {
  for (const char* text :
       {"", "{", "nope", "{\"a\":}", "{} {}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\xff\"}"}) {
    JsonDocument document;
    EXPECT_EQ(document.parse(text).error().code, ErrorCode::invalid_json) << text;
  }
  for (const char* text : {"[]", "1", "null", "\"x\""}) {
    JsonDocument document;
    EXPECT_EQ(document.parse(text).error().code, ErrorCode::invalid_message) << text;
  }
}

TEST(JsonDocument, HalfASurrogatePairIsNamed) {
  const auto why = [](const char* text) {
    JsonDocument document;
    const auto parsed = document.parse(text);
    return parsed ? "" : parsed.error().message;
  };
  for (const char* text : {R"({"a":"x\ud83d"})", R"({"a":"\ude00"})", R"({"a":"\ud83d\u0041"})",
                           R"({"a":"\\\ud83d\ud83d"})"}) {
    EXPECT_NE(why(text).find("surrogate"), std::string::npos) << text;
  }
  EXPECT_EQ(why(R"({"a":"\ud83d\ude00 \\ud83d"})"), "");
  for (const char* text : {R"({"a":"\ud83d\ude00"} x)", R"({"a":"\u12)", R"({"a":"\)", "\\"}) {
    EXPECT_EQ(why(text).find("surrogate"), std::string::npos) << text;
  }
}

TEST(JsonDocument, BoundsNesting) {
  JsonDocument document;
  const std::string deep = "{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}";
  EXPECT_EQ(document.parse(deep).error().code, ErrorCode::invalid_json);
}

TEST(JsonDocument, OutgrowsItsBuffer) {
  JsonDocument document;
  const std::string big = "{\"a\":\"" + std::string(100'000, 'x') + "\"}";
  ASSERT_TRUE(document.parse(big));
  EXPECT_EQ(document.object().at("a").as_string().size(), 100'000U);
}

TEST(FieldReader, NullIsAbsentAndUnknownIsIgnored) {
  JsonDocument document;
  ASSERT_TRUE(document.parse(R"({"a":null,"other":[1]})"));
  FieldReader fields(document.object());
  EXPECT_FALSE(fields.string("a", {1, 5}));
  EXPECT_FALSE(fields.integer("a", 1, 5));
  EXPECT_FALSE(fields.error(ErrorCode::invalid_request));
}

TEST(FieldReader, GathersEveryBadField) {
  JsonDocument document;
  ASSERT_TRUE(
      document.parse(R"({"s":1,"i":1.5,"n":"x","b":0,"l":["a",2],"o":[],"long":"abcdef"})"));
  FieldReader fields(document.object());
  fields.string("s", {1, 5});
  fields.integer("i", 0, 9);
  fields.number("n", {0, 1});
  fields.boolean("b");
  fields.strings("l", 4, {1, 5});
  fields.has_object("o");
  fields.string("long", {1, 5});
  fields.required_string("missing", {1, 5});
  const auto error = fields.error(ErrorCode::invalid_request);
  ASSERT_TRUE(error);
  ASSERT_EQ(error->fields.size(), 8U);
  EXPECT_NE(error->message.find("missing is required"), std::string::npos);
}

TEST(FieldReader, CountsCodePointsAndTakesWholeDoubles) {
  JsonDocument document;
  ASSERT_TRUE(document.parse("{\"s\":\"\xC3\xA9\xC3\xA9\xC3\xA9\",\"i\":5.0}"));
  FieldReader fields(document.object());
  EXPECT_TRUE(fields.string("s", {3, 3}));
  EXPECT_EQ(fields.integer("i", 0, 9), 5);
}

}  // namespace
}  // namespace tars::api
