#include "llm/remote/ollama_dialect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include "llm/remote/json_fields.h"
#include "reader_fixture.h"

namespace tars::llm {
namespace {

namespace json = boost::json;
using llm::testing::read_answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// As Ollama 0.17 sent it.
constexpr std::string_view kToken =
    R"({"model":"smollm2:135m","created_at":"2026-11-24T14:18:22.015274175Z","message":{"role":"assistant","content":"I"},"done":false})"
    "\n";
constexpr std::string_view kLast =
    R"({"model":"smollm2:135m","created_at":"2026-11-24T14:18:22.093742745Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":753277325,"load_duration":559378359,"prompt_eval_count":25,"prompt_eval_duration":111939000,"eval_count":8,"eval_duration":78157000})"
    "\n";

const std::unique_ptr<Dialect> kOllama = make_ollama_dialect(0);

TEST(OllamaDialect, ReadsAnAnswerInPiecesOfAnySize) {
  const std::string bytes = std::string(kToken) + std::string(kToken) + std::string(kLast);
  for (std::size_t step = 1; step < bytes.size(); step += 7) {
    const auto answer = read_answer(*kOllama, bytes, step);
    ASSERT_FALSE(answer.error) << answer.error->message;
    EXPECT_THAT(answer.tokens, ElementsAre("I", "I"));
    ASSERT_TRUE(answer.end);
    EXPECT_EQ(answer.end->reason, FinishReason::stop);
    EXPECT_EQ(answer.end->prompt_tokens, 25);
  }
}

TEST(OllamaDialect, AWholeObjectIsAnAnswerToo) {
  const auto answer = read_answer(
      *kOllama,
      R"({"model":"m","message":{"role":"assistant","content":"It is"},"done":true,"done_reason":"stop","prompt_eval_count":2,"eval_count":3})",
      7);
  ASSERT_FALSE(answer.error) << answer.error->message;
  EXPECT_THAT(answer.tokens, ElementsAre("It is"));
  ASSERT_TRUE(answer.end);
}

TEST(OllamaDialect, AnErrorLineFailsAndKeepsWhatCame) {
  std::string bytes(kToken);
  bytes.append(R"({"error":"an error was encountered while running the model"})").push_back('\n');
  const auto answer = read_answer(*kOllama, bytes);
  EXPECT_THAT(answer.tokens, ElementsAre("I"));
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->code, ErrorCode::generation_error);
  EXPECT_THAT(answer.error->message, HasSubstr("while running the model"));
  EXPECT_FALSE(answer.end);
}

TEST(OllamaDialect, AnEndWithoutDoneIsAnError) {
  EXPECT_EQ(read_answer(*kOllama, kToken).error->code, ErrorCode::generation_error);
  EXPECT_EQ(read_answer(*kOllama, "").error->code, ErrorCode::generation_error);
  // The last line must be whole, too.
  EXPECT_TRUE(read_answer(*kOllama, kLast.substr(0, kLast.size() - 3)).error);
}

TEST(OllamaDialect, WhatIsNoLineOfTheApiFails) {
  for (const char* line : {"<html>\n", "[]\n", "{\"response\":\"x\"}\n", "{\"done\":\"yes\"}\n",
                           "{\"message\":{\"content\":\"x\"},\"done\":false\n"}) {
    EXPECT_TRUE(read_answer(*kOllama, line, 1 << 20, false).error) << line;
  }
}

TEST(OllamaDialect, FieldsOfOtherTypesAndThinkingAreNoText) {
  const auto answer = read_answer(
      *kOllama,
      "{\"message\":{\"content\":7},\"done\":false}\n{\"message\":null,\"done\":false}\n"
      "{\"message\":{\"thinking\":\"hm\",\"content\":\"\"},\"done\":false}\n\n"
      "{\"done\":true,\"done_reason\":\"length\",\"eval_count\":-5,\"prompt_eval_count\":1e99}\n",
      1 << 20);
  ASSERT_FALSE(answer.error) << answer.error->message;
  EXPECT_TRUE(answer.tokens.empty());
  EXPECT_EQ(answer.end->reason, FinishReason::length);
}

TEST(OllamaDialect, AnErrorThatIsNullIsNone) {
  const auto answer =
      read_answer(*kOllama,
                  "{\"message\":{\"content\":\"a\"},\"done\":false,\"error\":null}\n"
                  "{\"done\":true,\"error\":null}\n",
                  1 << 20);
  ASSERT_FALSE(answer.error) << answer.error->message;
  EXPECT_THAT(answer.tokens, ElementsAre("a"));
  EXPECT_TRUE(answer.end);
  EXPECT_THAT(read_answer(*kOllama, "{\"error\":\"\"}\n").error->message,
              HasSubstr("without saying why"));
}

TEST(OllamaDialect, AsksWithEveryOption) {
  Request request;
  request.messages = {{Role::system, "s"}, {Role::user, "u \"quoted\""}, {Role::assistant, "a"}};
  request.sampling = {
      .temperature = 0.7F, .top_p = 0.9F, .top_k = 40, .seed = 7, .stop = {"END"}, .max_tokens = 5};
  const auto asked = make_ollama_dialect(2048)->chat(request, "m", {});
  EXPECT_EQ(asked.method, "POST");
  EXPECT_EQ(asked.target, "/api/chat");
  EXPECT_EQ(json::parse(asked.body), json::parse(R"({"model":"m","stream":true,
    "truncate":false,"shift":false,
    "messages":[{"role":"system","content":"s"},{"role":"user","content":"u \"quoted\""},
                {"role":"assistant","content":"a"}],
    "options":{"temperature":0.7,"top_p":0.9,"top_k":40,"num_predict":5,"seed":7,
               "stop":["END"],"num_ctx":2048}})"));
}

TEST(OllamaDialect, ListsModels) {
  const auto models = kOllama->models(R"({"models":[{"name":"a:1b","size":1},{"name":"b"},{}]})");
  ASSERT_TRUE(models);
  EXPECT_THAT(*models, ElementsAre("a:1b", "b"));
  EXPECT_TRUE(kOllama->models(R"({"models":null})")->empty());
  EXPECT_FALSE(kOllama->models("<html>"));
  EXPECT_FALSE(kOllama->models("{}"));
}

TEST(OllamaDialect, WantsItsAddressWhereItRefusesANameWithoutAWord) {
  const net::Endpoint host{.host = "tunnel", .port = 11434};
  EXPECT_EQ(kOllama->other_name(host, 403, ""), "127.0.0.1:11434");
  EXPECT_EQ(kOllama->other_name(host, 403, "no key"), "") << "that is someone else's";
  EXPECT_EQ(kOllama->other_name(host, 404, ""), "");
  EXPECT_EQ(kOllama->other_name({.secure = true, .host = "tunnel"}, 403, ""), "");
}

TEST(OllamaDialect, TellsTheServersWords) {
  EXPECT_EQ(error_words(R"({"error":"model 'nope' not found"})"), "model 'nope' not found");
  EXPECT_EQ(error_words("404 page not found"), "");
  EXPECT_EQ(error_words(""), "");
}

}  // namespace
}  // namespace tars::llm
