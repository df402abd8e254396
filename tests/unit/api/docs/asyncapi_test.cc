// The document is held to the parser of what clients say and to the writers of what they get.
#include "api/docs/asyncapi.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/error_table.h"
#include "api/ws/client_message.h"
#include "api/ws/frames.h"

namespace tars::api {
namespace {

namespace json = boost::json;

const json::object& document() {
  static const json::object parsed = json::parse(asyncapi_document({}, false)).as_object();
  return parsed;
}
const json::object& message(const std::string& name) {
  return document().at("components").at("messages").at(name).as_object();
}
const json::object& payload(const std::string& name) {
  return message(name).at("payload").as_object();
}
const json::object& resolved(const json::object& schema) {
  const json::value* reference = schema.if_contains("$ref");
  if (reference == nullptr) return schema;
  const std::string path(reference->as_string());
  return document().at("components").at("schemas").at(path.substr(path.rfind('/') + 1)).as_object();
}
std::vector<std::string> types_of(const json::object& schema) {
  const json::value* type = schema.if_contains("type");
  if (type == nullptr) return {};
  if (type->is_string()) return {std::string(type->as_string())};
  std::vector<std::string> out;
  for (const auto& one : type->as_array()) out.emplace_back(one.as_string());
  return out;
}
bool is_of(std::string_view type, const json::value& value) {
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  if (type == "number") return value.is_number();
  if (type == "null") return value.is_null();
  return false;
}
bool fits(const json::object& reference, const json::value& value) {
  const json::object& schema = resolved(reference);
  if (const auto* only = schema.if_contains("const")) return *only == value;
  if (const auto* some = schema.if_contains("enum")) {
    return std::ranges::find(some->as_array(), value) != some->as_array().end();
  }
  if (const auto* least = schema.if_contains("minimum");
      least != nullptr && value.is_number() &&
      value.to_number<double>() < least->to_number<double>()) {
    return false;
  }
  return std::ranges::any_of(types_of(schema),
                             [&](const std::string& type) { return is_of(type, value); });
}

// -- from the client

std::vector<std::string> bad_fields(const json::object& said) {
  const auto parsed = parse_client_message(json::serialize(said), MessageLimits{});
  std::vector<std::string> out;
  if (parsed.message) return out;
  for (const FieldError& field : parsed.message.error().fields) out.push_back(field.field);
  return out;
}
bool accepts(json::object said, const std::string& field, json::value value) {
  said[field] = std::move(value);
  return bad_fields(said).empty();
}
bool refuses(json::object said, const std::string& field, json::value value) {
  said[field] = std::move(value);
  const auto bad = bad_fields(said);
  return std::ranges::find(bad, field) != bad.end();
}

class FromClient : public ::testing::TestWithParam<std::string_view> {
 protected:
  static std::string type() { return std::string(GetParam()); }
  static std::string name() { return "client_" + type(); }
  static json::object first_example() {
    return message(name()).at("examples").at(0).at("payload").as_object();
  }
};

TEST_P(FromClient, ExamplesAreTaken) {
  EXPECT_EQ(message(name()).at("name").as_string(), json::string_view(type()));
  EXPECT_EQ(payload(name()).at("properties").at("type").at("const").as_string(),
            json::string_view(type()));
  for (const auto& example : message(name()).at("examples").as_array()) {
    EXPECT_TRUE(bad_fields(example.at("payload").as_object()).empty()) << json::serialize(example);
  }
}

TEST_P(FromClient, EachFieldIsCheckedAsItSays) {
  const json::object said = first_example();
  const json::array none;
  const json::value* required = payload(name()).if_contains("required");
  for (const auto& property : payload(name()).at("properties").as_object()) {
    const std::string field(property.key());
    const json::object& schema = resolved(property.value().as_object());
    const bool checked = schema.contains("type") || schema.contains("enum");
    if (!checked) continue;  // `type`, whose value chose this schema, and what is not looked at
    EXPECT_TRUE(refuses(said, field, json::array{json::array{1}})) << field;
    const auto types = types_of(schema);
    const bool needed =
        std::ranges::find(required->as_array(), json::value(field)) != required->as_array().end();
    if (!payload(name()).contains("anyOf")) {  // a null counts as absent, and one must be there
      EXPECT_EQ(needed, refuses(said, field, nullptr)) << field;
    }
    if (const auto* most = schema.if_contains("maximum")) {
      EXPECT_TRUE(accepts(said, field, *most)) << field;
      EXPECT_TRUE(refuses(said, field, most->to_number<double>() + 1)) << field;
    }
    if (const auto* least = schema.if_contains("minimum")) {
      EXPECT_TRUE(accepts(said, field, *least)) << field;
      EXPECT_TRUE(refuses(said, field, least->to_number<double>() - 1)) << field;
    }
    if (const auto* above = schema.if_contains("exclusiveMinimum")) {
      EXPECT_TRUE(refuses(said, field, *above)) << field;
    }
    if (const auto* longest = schema.if_contains("maxLength")) {
      const auto length = longest->to_number<std::size_t>();
      EXPECT_TRUE(accepts(said, field, json::string(length, 'x'))) << field;
      EXPECT_TRUE(refuses(said, field, json::string(length + 1, 'x'))) << field;
      EXPECT_TRUE(refuses(said, field, "")) << field;
    }
    if (const auto* most = schema.if_contains("maxItems")) {
      const auto count = most->to_number<std::size_t>();
      EXPECT_TRUE(accepts(said, field, json::array(count, "x"))) << field;
      EXPECT_TRUE(refuses(said, field, json::array(count + 1, "x"))) << field;
    }
    if (const auto* choices = schema.if_contains("enum")) {
      for (const auto& choice : choices->as_array()) EXPECT_TRUE(accepts(said, field, choice));
      EXPECT_TRUE(refuses(said, field, "neither")) << field;
    }
  }
}

TEST_P(FromClient, WhatIsRequiredIsMissed) {
  for (const auto& one : payload(name()).at("required").as_array()) {
    json::object said = first_example();
    said.erase(one.as_string());
    EXPECT_FALSE(bad_fields(said).empty()) << one;
  }
  const json::value* alternatives = payload(name()).if_contains("anyOf");
  if (alternatives == nullptr) return;
  const json::object bare{{"type", type()}};
  EXPECT_FALSE(bad_fields(bare).empty());
  for (const auto& one : alternatives->as_array()) {
    EXPECT_TRUE(accepts(bare, std::string(one.at("required").at(0).as_string()), "x")) << one;
  }
}

INSTANTIATE_TEST_SUITE_P(AsyncApi, FromClient,
                         ::testing::ValuesIn(std::begin(kClientMessageTypes),
                                             std::end(kClientMessageTypes)),
                         [](const auto& of) { return std::string(of.param); });

// -- from the server

std::vector<std::string> frames() {
  const WallTime now{std::chrono::seconds{1'800'000'000}};
  chat::RunInfo run;
  run.id = "run_1";
  run.conversation_id = "c1";
  run.model = "tiny";
  chat::RunInfo named = run;
  named.message_id = "m1";
  const chat::Outcome outcome{.finish_reason = "stop", .error = {}};
  Error busy = make_error(ErrorCode::overloaded, "busy");
  busy.retry_after = std::chrono::seconds{2};
  return {connection_ack_frame("me", "s", std::chrono::seconds(30), "1", now),
          queued_frame(run, 2, now),
          queued_frame(named, 1, now),
          TokenFrames(run).render({"x", 0, 1}, now),
          TokenFrames(run).render({"xy", 1, 2}, now),
          complete_frame(run, outcome, 3, now),
          complete_frame(named, outcome, 3, now),
          error_frame(make_error(ErrorCode::internal, ""), {}, now),
          error_frame(busy, {"c1", "run_1", "m1"}, now),
          ping_frame(now),
          pong_frame(now),
          system_frame(SystemLevel::info, "a", now),
          system_frame(SystemLevel::warning, "b", now),
          system_frame(SystemLevel::error, "c", now)};
}

TEST(FromServer, EveryFrameIsWhatThePayloadSays) {
  std::map<std::string, std::set<std::string>> seen;
  for (const std::string& text : frames()) {
    const json::object frame = json::parse(text).as_object();
    const std::string type(frame.at("type").as_string());
    const json::object& schema = payload("server_" + type);
    for (const auto& field : frame) {
      const json::value* property = schema.at("properties").as_object().if_contains(field.key());
      ASSERT_NE(property, nullptr) << type << " " << field.key();
      EXPECT_TRUE(fits(property->as_object(), field.value())) << type << " " << field.key();
      seen[type].emplace(field.key());
    }
    for (const auto& name : schema.at("required").as_array()) {
      EXPECT_TRUE(frame.contains(name.as_string())) << type << " " << name;
    }
  }
  // Nothing is described that no frame has.
  for (const std::string_view type : kServerFrameTypes) {
    for (const auto& property :
         payload("server_" + std::string(type)).at("properties").as_object()) {
      EXPECT_TRUE(seen[std::string(type)].contains(property.key())) << type << property.key();
    }
  }
}

TEST(FromServer, ExamplesAreWhatThePayloadSays) {
  for (const std::string_view type : kServerFrameTypes) {
    const std::string name = "server_" + std::string(type);
    for (const auto& example : message(name).at("examples").as_array()) {
      for (const auto& field : example.at("payload").as_object()) {
        EXPECT_TRUE(fits(payload(name).at("properties").at(field.key()).as_object(), field.value()))
            << name << " " << field.key();
      }
    }
  }
}

// -- the document

TEST(AsyncApi, HasEveryMessageOnceAndNoOther) {
  const json::object& messages = document().at("components").at("messages").as_object();
  EXPECT_EQ(messages.size(), std::size(kClientMessageTypes) + std::size(kServerFrameTypes));
  EXPECT_EQ(document().at("channels").at("chat").at("messages").as_object().size(),
            messages.size());
  const json::object& operations = document().at("operations").as_object();
  EXPECT_EQ(operations.at("fromClient").at("action").as_string(), "receive");
  EXPECT_EQ(operations.at("fromClient").at("messages").as_array().size(),
            std::size(kClientMessageTypes));
  EXPECT_EQ(operations.at("fromServer").at("action").as_string(), "send");
  EXPECT_EQ(operations.at("fromServer").at("messages").as_array().size(),
            std::size(kServerFrameTypes));
}

TEST(AsyncApi, HasEveryCodeOfAnErrorFrame) {
  const json::array& codes =
      payload("server_error").at("properties").at("code").at("enum").as_array();
  for (const ErrorRow& row : error_table()) {
    const json::value code(json::string_view(row.ws_code.data(), row.ws_code.size()));
    EXPECT_EQ(std::ranges::count(codes, code), 1) << row.ws_code;
  }
}

TEST(AsyncApi, SaysWhatThisServerIs) {
  Options options;
  options.version = "9.8.7";
  options.max_tokens = 77;
  const json::value secure = json::parse(asyncapi_document(options, true));
  EXPECT_EQ(secure.at("info").at("version").as_string(), "9.8.7");
  EXPECT_EQ(secure.at("servers").at("gateway").at("protocol").as_string(), "wss");
  EXPECT_EQ(document().at("servers").at("gateway").at("protocol").as_string(), "ws");
  EXPECT_EQ(secure.at("components")
                .at("messages")
                .at("client_chat")
                .at("payload")
                .at("properties")
                .at("max_tokens")
                .at("maximum")
                .as_int64(),
            77);
}

}  // namespace
}  // namespace tars::api
