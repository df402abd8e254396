#include "api/json_writer.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <limits>

namespace tars::api {
namespace {

TEST(JsonWriter, WritesInOrderWithCommas) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("a", 1).field("b", "x").begin_array("c");
  json.begin_object().field("d", true).end_object().begin_object().end_object();
  json.end_array().field("e", nullptr).begin_object("f").end_object().field("g", 2.5).end_object();
  EXPECT_EQ(out, R"({"a":1,"b":"x","c":[{"d":true},{}],"e":null,"f":{},"g":2.5})");
}

TEST(JsonWriter, WritesListsOfStrings) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().begin_array("a").item("x").item("\"").end_array().begin_array("b");
  json.end_array().end_object();
  EXPECT_EQ(out, R"({"a":["x","\""],"b":[]})");
}

TEST(JsonWriter, EveryStringComesBackAsItWas) {
  std::string text = "quote\" back\\ line\n nul";
  text += '\0';
  text += "\x1f\x7f café \xF0\x9F\x98\x80 </script>";
  text += std::string(5000, '"');
  std::string out;
  JsonWriter(out).begin_object().field("t", text).end_object();
  EXPECT_EQ(std::string(boost::json::parse(out).at("t").as_string()), text);
}

// Eight characters are looked at at a time.
TEST(JsonWriter, OneSpecialCharacterIsFoundAtEachPlace) {
  for (std::size_t size = 1; size <= 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 0x80; ++byte) {
        std::string text(size, 'a');
        text[at] = static_cast<char>(byte);
        std::string out;
        JsonWriter(out).begin_object().field("t", text).end_object();
        boost::system::error_code ec;
        const auto parsed = boost::json::parse(out, ec);
        ASSERT_FALSE(ec) << out;
        ASSERT_EQ(std::string(parsed.at("t").as_string()), text);
      }
    }
  }
}

TEST(JsonWriter, NumbersAreValidJson) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("nan", std::numeric_limits<double>::quiet_NaN());
  json.field("big", 1e300)
      .field("small", 0.0004)
      .field("max", std::numeric_limits<std::uint64_t>::max());
  json.end_object();
  const auto parsed = boost::json::parse(out);
  EXPECT_EQ(parsed.at("nan").to_number<double>(), 0);
  EXPECT_EQ(parsed.at("max").as_uint64(), std::numeric_limits<std::uint64_t>::max());
}

}  // namespace
}  // namespace tars::api
