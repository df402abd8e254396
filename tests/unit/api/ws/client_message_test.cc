#include "api/ws/client_message.h"

#include <gtest/gtest.h>

namespace tars::api {
namespace {

ParsedMessage parse(std::string_view text) { return parse_client_message(text, MessageLimits{}); }

std::string chat_with(const std::string& field) {
  return R"({"type":"chat","content":"x","conversation_id":"c1","message_id":"m1",)" + field + "}";
}

TEST(ClientMessage, ChatWithEverything) {
  const auto parsed = parse(
      R"({"type":"chat","content":"Hi","conversation_id":"c","model":"m","temperature":1,"max_tokens":9,)"
      R"("top_p":0.5,"top_k":3,"seed":4294967295,"stop":["a","b"],"message_id":"id","on_disconnect":"finish"})");
  ASSERT_TRUE(parsed.message);
  const auto& chat = std::get<ChatMessage>(*parsed.message);
  EXPECT_EQ(chat.content, "Hi");
  EXPECT_EQ(chat.conversation_id, "c");
  EXPECT_EQ(chat.model, "m");
  EXPECT_EQ(chat.sampling.max_tokens, 9);
  EXPECT_EQ(chat.sampling.seed, 4294967295U);
  EXPECT_EQ(chat.sampling.stop.size(), 2U);
  EXPECT_TRUE(chat.finish_on_disconnect);
}

TEST(ClientMessage, DefaultsAndNulls) {
  const auto parsed =
      parse(R"({"type":"chat","content":"x","model":null,"temperature":null,"stop":null})");
  ASSERT_TRUE(parsed.message);
  const auto& chat = std::get<ChatMessage>(*parsed.message);
  EXPECT_EQ(chat.sampling.top_k, 40);
  EXPECT_FALSE(chat.conversation_id);
  EXPECT_FALSE(chat.finish_on_disconnect);
}

TEST(ClientMessage, ContentIsCountedInCodePoints) {
  std::string text;
  for (int i = 0; i < 32'000; ++i) text += "\xC3\xA9";
  EXPECT_TRUE(parse(R"({"type":"chat","content":")" + text + "\"}").message);
  EXPECT_FALSE(parse(R"({"type":"chat","content":")" + text + "x\"}").message);
  EXPECT_FALSE(parse(R"({"type":"chat","content":""})").message);
}

class BadField : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BadField, IsNamedAndTheIdsComeBack) {
  const auto [field, name] = GetParam();
  const auto parsed = parse(chat_with(field));
  ASSERT_FALSE(parsed.message) << field;
  EXPECT_EQ(parsed.message.error().code, ErrorCode::invalid_message);
  EXPECT_NE(parsed.message.error().message.find(name), std::string::npos);
  EXPECT_EQ(parsed.ids.conversation_id, "c1");
  EXPECT_EQ(parsed.ids.message_id, "m1");
}

INSTANTIATE_TEST_SUITE_P(
    Chat, BadField,
    testing::Values(std::pair(R"("temperature":2.1)", "temperature"),
                    std::pair(R"("temperature":-1)", "temperature"),
                    std::pair(R"("temperature":"1")", "temperature"),
                    std::pair(R"("max_tokens":0)", "max_tokens"),
                    std::pair(R"("max_tokens":2049)", "max_tokens"),
                    std::pair(R"("top_p":-0.1)", "top_p"), std::pair(R"("top_p":1.01)", "top_p"),
                    std::pair(R"("top_k":-1)", "top_k"), std::pair(R"("seed":-1)", "seed"),
                    std::pair(R"("seed":4294967296)", "seed"),
                    std::pair(R"("stop":["a","b","c","d","e"])", "stop"),
                    std::pair(R"("stop":[""])", "stop"), std::pair(R"("stop":5)", "stop"),
                    std::pair(R"("on_disconnect":"maybe")", "on_disconnect"),
                    std::pair(R"("model":3)", "model"), std::pair(R"("use_rag":true)", "use_rag"),
                    std::pair(R"("rag_top_k":21)", "rag_top_k"),
                    std::pair(R"("rag_threshold":2)", "rag_threshold"),
                    std::pair(R"("rag_filters":1)", "rag_filters")));

// An error with a run's id says that the message_id is used up.
TEST(ClientMessage, AChatNamesNoRun) {
  EXPECT_FALSE(parse(R"({"type":"chat","content":7,"run_id":"r"})").ids.run_id);
  EXPECT_EQ(parse(R"({"type":"resume","offset":-1,"run_id":"r"})").ids.run_id, "r");
}

TEST(ClientMessage, LongIdsAreRefused) {
  const std::string id(129, 'a');
  EXPECT_FALSE(parse(R"({"type":"chat","content":"x","message_id":")" + id + "\"}").message);
  EXPECT_FALSE(parse(R"({"type":"chat","content":"x","conversation_id":")" + id + "\"}").message);
  EXPECT_FALSE(parse(R"({"type":"chat","content":"x","conversation_id":7})").message);
}

TEST(ClientMessage, IdsAreWithoutControlCharacters) {
  for (const char* bad : {"a\\u0000b", "a\\nb", "\\u007f", "a\\u0085"}) {
    const std::string id(bad);
    EXPECT_FALSE(parse(R"({"type":"chat","content":"x","message_id":")" + id + "\"}").message)
        << id;
    EXPECT_FALSE(parse(R"({"type":"cancel","conversation_id":")" + id + "\"}").message) << id;
  }
}

TEST(ClientMessage, UnknownOrMissingTypes) {
  for (const char* text : {R"({"type":"nope"})", R"({"type":5})", R"({"content":"x"})", "{}",
                           R"({"type":""})", R"({"type":null})"}) {
    const auto parsed = parse(text);
    ASSERT_FALSE(parsed.message) << text;
    EXPECT_EQ(parsed.message.error().code, ErrorCode::invalid_message);
  }
  EXPECT_EQ(parse("{nope").message.error().code, ErrorCode::invalid_json);
  EXPECT_EQ(parse("[1]").message.error().code, ErrorCode::invalid_message);
}

TEST(ClientMessage, CancelTakesTheNarrowestTarget) {
  const auto parsed = parse(R"({"type":"cancel","message_id":"m","conversation_id":"c"})");
  ASSERT_TRUE(parsed.message);
  const auto& target = std::get<CancelMessage>(*parsed.message).target;
  EXPECT_EQ(target.message_id, "m");
  EXPECT_FALSE(target.conversation_id);
  EXPECT_FALSE(parse(R"({"type":"cancel"})").message);
}

TEST(ClientMessage, ResumePingPong) {
  const auto resume = parse(R"({"type":"resume","run_id":"r","offset":3})");
  ASSERT_TRUE(resume.message);
  EXPECT_EQ(std::get<ResumeMessage>(*resume.message).offset, 3U);
  const auto by_message = parse(R"({"type":"resume","message_id":"m"})");
  ASSERT_TRUE(by_message.message);
  EXPECT_EQ(std::get<ResumeMessage>(*by_message.message).run.message_id, "m");
  const auto both = parse(R"({"type":"resume","run_id":"r","message_id":"m"})");
  ASSERT_TRUE(both.message);
  EXPECT_FALSE(std::get<ResumeMessage>(*both.message).run.message_id);
  EXPECT_FALSE(parse(R"({"type":"resume","run_id":"r","offset":-1})").message);
  EXPECT_FALSE(parse(R"({"type":"resume"})").message);
  EXPECT_TRUE(std::holds_alternative<PingMessage>(*parse(R"({"type":"ping"})").message));
  EXPECT_TRUE(
      std::holds_alternative<PongMessage>(*parse(R"({"type":"pong","timestamp":5})").message));
}

}  // namespace
}  // namespace tars::api
