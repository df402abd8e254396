// Every row of the table of `error` frames, and that an error leaves the socket open.
#include "gateway_server.h"

namespace tars::api::testing {
namespace {

class ErrorTest : public GatewayServer {};

TEST_F(ErrorTest, MalformedJsonAndOtherShapes) {
  start();
  Device device = connect();
  for (const char* text : {"", "{", "nope", R"({"type":"chat",})"}) {
    EXPECT_EQ(device.error_for(text), "INVALID_JSON") << text;
  }
  for (const char* text : {"[]", "5", "null", "\"chat\"", "{}", R"({"type":5})",
                           R"({"type":"dance"})", R"({"type":null})"}) {
    EXPECT_EQ(device.error_for(text), "INVALID_MESSAGE") << text;
  }
  EXPECT_TRUE(device.answers());
}

struct BadField {
  const char* name;
  const char* member;
};
class BadFields : public GatewayServer, public ::testing::WithParamInterface<BadField> {};

TEST_P(BadFields, AreNamed) {
  start();
  Device device = connect();
  const BadField& bad = GetParam();
  const std::string content = std::string_view(bad.name) == "content" ? "" : R"("content":"hi",)";
  device.say(R"({"type":"chat",)" + content + bad.member + "}");
  const json::object error = device.next("error");
  EXPECT_EQ(error.at("code").as_string(), "INVALID_MESSAGE");
  EXPECT_THAT(std::string(error.at("error").as_string()), ::testing::HasSubstr(bad.name));
  EXPECT_TRUE(device.answers());
  EXPECT_EQ(model_->begun(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadFields,
    ::testing::Values(
        BadField{"content", R"("content":"")"}, BadField{"content", R"("content":5)"},
        BadField{"content", R"("content":null)"},
        BadField{"conversation_id", R"("conversation_id":"")"},
        BadField{"message_id", R"("message_id":[])"}, BadField{"model", R"("model":7)"},
        BadField{"temperature", R"("temperature":2.1)"},
        BadField{"temperature", R"("temperature":-0.1)"},
        BadField{"temperature", R"("temperature":"hot")"},
        BadField{"max_tokens", R"("max_tokens":0)"}, BadField{"max_tokens", R"("max_tokens":2049)"},
        BadField{"max_tokens", R"("max_tokens":1.5)"}, BadField{"top_p", R"("top_p":1.01)"},
        BadField{"top_k", R"("top_k":-1)"}, BadField{"seed", R"("seed":-1)"},
        BadField{"stop", R"("stop":["a","b","c","d","e"])"}, BadField{"stop", R"("stop":[5])"},
        BadField{"on_disconnect", R"("on_disconnect":"explode")"},
        BadField{"use_rag", R"("use_rag":"yes")"}, BadField{"rag_top_k", R"("rag_top_k":21)"},
        BadField{"rag_threshold", R"("rag_threshold":1.1)"},
        BadField{"rag_filters", R"("rag_filters":[])"}));

TEST_F(ErrorTest, AContentOf32000CharactersIsTakenAndOneMoreIsNot) {
  start();
  Device device = connect();
  const auto chat = [](std::size_t characters) {
    std::string content;
    for (std::size_t i = 0; i < characters; ++i) content += "\xc3\xa9";
    return R"({"type":"chat","content":")" + content + "\"}";
  };
  EXPECT_EQ(device.error_for(chat(32'001)), "INVALID_MESSAGE");
  device.say(chat(32'000));
  EXPECT_EQ(model_->generation(0)->request.messages.back().content.size(), 64'000U);
}

TEST_F(ErrorTest, WhatTheModelRefuses) {
  start();
  Device device = connect();
  const std::pair<ErrorCode, const char*> rows[] = {
      {ErrorCode::model_not_found, "MODEL_NOT_FOUND"},
      {ErrorCode::backend_unavailable, "BACKEND_UNAVAILABLE"},
      {ErrorCode::context_overflow, "CONTEXT_OVERFLOW"},
      {ErrorCode::internal, "INTERNAL"}};
  for (const auto& [code, name] : rows) {
    model_->refuse(make_error(code, "because"));
    const std::string chat =
        std::string(R"({"type":"chat","content":"hi","conversation_id":"c",)") +
        R"("message_id":")" + name + "\"}";
    device.say(chat);
    const json::object error = device.next("error");
    EXPECT_EQ(error.at("code").as_string(), name);
    EXPECT_EQ(error.at("message_id").as_string(), name) << "it answers the message that caused it";
    EXPECT_EQ(error.at("conversation_id").as_string(), "c");
    model_->refuse(std::nullopt);
    device.say(chat);
    const json::object again = device.next("error");
    EXPECT_EQ(again.at("run_id").as_string(), error.at("run_id").as_string()) << "never twice";
    EXPECT_EQ(again.at("code").as_string(), name);
  }
  model_->refuse(std::nullopt);
  device.say(kChat);
  model_->generation(0)->say("better");
  EXPECT_EQ(device.next("token").at("token").as_string(), "better");
}

TEST_F(ErrorTest, AnAnswerThatFailsOnItsWay) {
  start();
  Device device = connect();
  device.say(kChat);
  model_->generation(0)->say("so far");
  EXPECT_EQ(device.next("token").at("token").as_string(), "so far");
  model_->fail(*model_->generation(0), make_error(ErrorCode::generation_error, "a bad batch"));
  const json::object error = device.next("error");
  EXPECT_EQ(error.at("code").as_string(), "GENERATION_ERROR");
  EXPECT_TRUE(error.contains("run_id"));
  EXPECT_TRUE(device.answers());
}

TEST_F(ErrorTest, OverloadedSaysWhenToTryAgain) {
  chat_.running_per_client = 1;
  chat_.waiting_per_client = 1;
  start();
  Device device = connect();
  for (int i = 0; i < 3; ++i) device.say(kChat);
  const json::object error = device.next("error");
  EXPECT_EQ(error.at("code").as_string(), "OVERLOADED");
  EXPECT_GT(error.at("retry_after_s").as_int64(), 0);
  EXPECT_TRUE(device.answers());
}

TEST_F(ErrorTest, TooManyMessagesAtOnce) {
  api_.message_burst = 5;
  api_.messages_per_second = 1;
  start();
  Device device = connect();
  for (int i = 0; i < 6; ++i) device.say(R"({"type":"pong"})");
  const json::object error = device.next("error");
  EXPECT_EQ(error.at("code").as_string(), "RATE_LIMITED");
  EXPECT_EQ(error.at("retry_after_s").as_int64(), 1);
  device.raw.send(RawClient::frame(9, "still there?"));
  EXPECT_EQ(device.raw.read_frame().opcode, 10) << "the socket stays";
}

TEST_F(ErrorTest, UnknownRuns) {
  start();
  Device device = connect();
  EXPECT_EQ(device.error_for(R"({"type":"cancel","run_id":"run_x"})"), "RUN_NOT_FOUND");
  EXPECT_EQ(device.error_for(R"({"type":"cancel","message_id":"m"})"), "RUN_NOT_FOUND");
  EXPECT_EQ(device.error_for(R"({"type":"cancel"})"), "INVALID_MESSAGE");
  EXPECT_EQ(device.error_for(R"({"type":"resume"})"), "INVALID_MESSAGE");
  EXPECT_EQ(device.error_for(R"({"type":"resume","run_id":"r","offset":-1})"), "INVALID_MESSAGE");
  EXPECT_TRUE(device.answers());
}

TEST_F(ErrorTest, AMessageIdWithAnotherContent) {
  start();
  Device device = connect();
  device.say(R"({"type":"chat","content":"one","message_id":"m"})");
  EXPECT_EQ(device.error_for(R"({"type":"chat","content":"two","message_id":"m"})"),
            "INVALID_MESSAGE");
  EXPECT_EQ(model_->begun(), 1U);
}

TEST_F(ErrorTest, AChatWhileDraining) {
  start();
  Device device = connect();
  device.say(kChat);
  model_->generation(0)->say("x");
  device.next("token");
  engine_->drain();
  EXPECT_EQ(device.error_for(kChat), "BACKEND_UNAVAILABLE");
}

}  // namespace
}  // namespace tars::api::testing
