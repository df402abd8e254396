#include "auth/flat_json.h"

#include <gtest/gtest.h>

namespace tars::auth {
namespace {

TEST(FlatJson, ReadsTextsAndIntegers) {
  const auto object = FlatObject::parse(R"({"a":"x\u0000\n","b":-5,"c":9223372036854775807})");
  ASSERT_TRUE(object);
  EXPECT_EQ(*object->text("a"), std::string("x\0\n", 3));
  EXPECT_EQ(*object->integer("b"), -5);
  EXPECT_EQ(*object->integer("c"), INT64_MAX);
  EXPECT_EQ(object->integer("a"), nullptr);
  EXPECT_EQ(object->text("b"), nullptr);
  EXPECT_EQ(object->text("d"), nullptr);
  EXPECT_FALSE(object->has("d"));
}

TEST(FlatJson, KeepsTheNamesOfWhatItDoesNotRead) {
  const auto object =
      FlatObject::parse(R"({"a":{"b":"inner","b":2},"c":[1,"x"],"d":true,"e":null,"f":1.5})");
  ASSERT_TRUE(object);
  for (const char* name : {"a", "c", "d", "e", "f"}) {
    EXPECT_TRUE(object->has(name));
    EXPECT_EQ(object->text(name), nullptr);
    EXPECT_EQ(object->integer(name), nullptr);
  }
  EXPECT_FALSE(object->has("b"));
  ASSERT_TRUE(FlatObject::parse(R"({"a":{"b":"inner"},"z":"after"})"));
  EXPECT_EQ(*FlatObject::parse(R"({"a":{"b":"inner"},"z":"after"})")->text("z"), "after");
}

TEST(FlatJson, RefusesANameTwice) {
  EXPECT_FALSE(FlatObject::parse(R"({"a":1,"a":1})"));
  EXPECT_FALSE(FlatObject::parse(R"({"a":1,"\u0061":2})"));
  EXPECT_FALSE(FlatObject::parse(R"({"a":[1],"b":1,"a":2})"));
}

TEST(FlatJson, RefusesWhatIsNoObject) {
  for (const char* text : {"", "[]", "5", "null", "\"a\"", "{", "{}x", "{} {}", "{\"a\":}", "{a:1}",
                           "{\"a\":1,}", "\xef\xbb\xbf{}", "/**/{}", "{\"a\":\"\xff\"}"}) {
    EXPECT_FALSE(FlatObject::parse(text)) << text;
  }
  EXPECT_FALSE(FlatObject::parse(std::string_view("{}\0", 3)));
  EXPECT_TRUE(FlatObject::parse("{}"));
}

TEST(FlatJson, IsBounded) {
  EXPECT_FALSE(FlatObject::parse("{\"a\":\"" + std::string(1025, 'x') + "\"}"));
  EXPECT_FALSE(FlatObject::parse("{\"" + std::string(65, 'x') + "\":1}"));
  EXPECT_FALSE(FlatObject::parse("{\"a\":" + std::string(9, '[') + std::string(9, ']') + "}"));
  std::string many = "{\"x\":0";
  for (int i = 0; i < 32; ++i) many += ",\"n" + std::to_string(i) + "\":1";
  EXPECT_FALSE(FlatObject::parse(many + "}"));
}

}  // namespace
}  // namespace tars::auth
