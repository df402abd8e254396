#include "llm/remote/openai_dialect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include "reader_fixture.h"

namespace tars::llm {
namespace {

namespace json = boost::json;
using llm::testing::read_answer;
using llm::testing::ReadAnswer;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const std::unique_ptr<Dialect> kOpenAi = make_openai_dialect("key");

std::string chunk(const std::string& text, const std::string& finish = "null") {
  return R"(data: {"id":"chatcmpl-760","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":")" +
         text + R"("},"finish_reason":)" + finish + "}]}\n\n";
}

constexpr std::string_view kUsage =
    R"(data: {"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":4}}})"
    "\n\n";

TEST(OpenAiDialect, ReadsAnAnswerInPiecesOfAnySize) {
  const std::string bytes = ": ping\n\n" + chunk("It") + chunk(" is") + chunk("", "\"length\"") +
                            std::string(kUsage) + "data: [DONE]\n\n";
  for (std::size_t step = 1; step < bytes.size(); step += 5) {
    const auto answer = read_answer(*kOpenAi, bytes, step);
    ASSERT_FALSE(answer.error) << answer.error->message;
    EXPECT_THAT(answer.tokens, ElementsAre("It", " is"));
    ASSERT_TRUE(answer.end);
    EXPECT_EQ(answer.end->reason, FinishReason::length);
    EXPECT_EQ(answer.end->prompt_tokens, 12);
    EXPECT_EQ(answer.end->cached_tokens, 4);
  }
}

TEST(OpenAiDialect, OnlyTheOneChoiceThatWasAskedForIsTheAnswer) {
  const auto answer = read_answer(
      *kOpenAi,
      R"(data: {"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"a"}}]})"
      "\n\n"
      R"(data: {"choices":[{"index":0,"delta":{"refusal":"I won't."},"finish_reason":"stop"}]})"
      "\n\ndata: [DONE]\n\n");
  EXPECT_THAT(answer.tokens, ElementsAre("a", "I won't."));
  EXPECT_TRUE(answer.end);
}

TEST(OpenAiDialect, ContentMayBeAListOfParts) {
  const std::string thought =
      R"({"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm."}]}]})";
  const std::string parts =
      R"({"content":[{"type":"text","text":"a"},7,{"type":"image_url"},{"type":"text","text":"b"}]})";
  const auto event = [](const std::string& delta) {
    return R"(data: {"choices":[{"index":0,"delta":)" + delta + "}]}\n\n";
  };
  const auto answer = read_answer(*kOpenAi, event(thought) + event(parts) + chunk("c") +
                                                chunk("", "\"stop\"") + "data: [DONE]\n\n");
  EXPECT_FALSE(answer.error);
  EXPECT_EQ(answer.thoughts, 1);
  EXPECT_THAT(answer.tokens, ElementsAre("a", "b", "c"));
  const auto whole = read_answer(*kOpenAi, R"({"choices":[{"message":)" + parts + "}]}");
  EXPECT_THAT(whole.tokens, ElementsAre("a", "b"));
}

TEST(OpenAiDialect, AnErrorObjectInTheMiddleSaysWhy) {
  const auto answer =
      read_answer(*kOpenAi, chunk("a") + R"(data: {"object":"error","message":"no memory"})"
                                         "\n\n");
  EXPECT_THAT(answer.error->message, HasSubstr("no memory"));
}

TEST(OpenAiDialect, AFinishReasonIsAnEndWhereDoneIsLeftOut) {
  const auto answer = read_answer(*kOpenAi, chunk("a") + chunk("", "\"stop\""));
  EXPECT_FALSE(answer.error);
  EXPECT_EQ(answer.end->reason, FinishReason::stop);
}

TEST(OpenAiDialect, AnEndWithoutFinishReasonIsAnError) {
  EXPECT_EQ(read_answer(*kOpenAi, chunk("a")).error->code, ErrorCode::generation_error);
  EXPECT_EQ(read_answer(*kOpenAi, "").error->code, ErrorCode::generation_error);
}

TEST(OpenAiDialect, AnErrorEventFails) {
  const auto answer = read_answer(
      *kOpenAi, chunk("a") + "data: {\"error\":{\"message\":\"out of memory\",\"code\":500}}\n\n");
  EXPECT_THAT(answer.tokens, ElementsAre("a"));
  EXPECT_EQ(answer.error->code, ErrorCode::generation_error);
  EXPECT_THAT(answer.error->message, HasSubstr("out of memory"));
}

TEST(OpenAiDialect, WhatIsNoEventOfTheApiFails) {
  for (const char* data : {"hello", "[]", "{}", "{\"choices\":7}"}) {
    EXPECT_TRUE(read_answer(*kOpenAi, std::string("data: ") + data + "\n\n", 99, false).error)
        << data;
  }
}

TEST(OpenAiDialect, NothingBehindTheFinishReasonBreaksAWholeAnswer) {
  const std::string answer = chunk("a") + chunk("", "\"stop\"");
  for (const char* behind :
       {R"({"usage":{"prompt_tokens":3,"completion_tokens":4}})",
        R"({"choices":null,"usage":{"prompt_tokens":3,"completion_tokens":4}})", "{}", "no JSON",
        R"({"error":{"message":"too late"}})", "", " ", "[]"}) {
    const auto read =
        read_answer(*kOpenAi, answer + "data: " + behind + "\n\ndata: [DONE] \t\n\n", 99, false);
    EXPECT_FALSE(read.error) << behind;
    ASSERT_TRUE(read.end) << behind;
    if (std::string_view(behind).find("usage") != std::string_view::npos) {
      EXPECT_EQ(read.end->prompt_tokens, 3) << behind;
    }
  }
}

TEST(OpenAiDialect, EventsWithoutAChoiceArePassedOverBeforeItToo) {
  const auto read =
      read_answer(*kOpenAi, "data:\n\ndata: {\"choices\":null}\n\ndata: {\"usage\":{}}\n\n" +
                                chunk("a") + chunk("", "\"stop\""));
  EXPECT_FALSE(read.error);
  EXPECT_THAT(read.tokens, ElementsAre("a"));
}

TEST(OpenAiDialect, TheTextIsWholeBeforeTheEndIsSaid) {
  ReadAnswer target;
  const auto reader = kOpenAi->reader();
  ASSERT_TRUE(reader->feed(chunk("a"), target));
  EXPECT_FALSE(reader->is_whole());
  ASSERT_TRUE(reader->feed(chunk("", "\"stop\""), target));
  EXPECT_TRUE(reader->is_whole());
  EXPECT_FALSE(reader->end());
}

TEST(OpenAiDialect, AWholeObjectIsAnAnswerToo) {
  const std::string bytes = R"(
{"id":"chatcmpl-1","object":"chat.completion","choices":[
  {"index":0,"message":{"role":"assistant","content":"It is"},"finish_reason":"length"}],
 "usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15}})";
  for (const std::size_t step : {1UL, 7UL, bytes.size()}) {
    const auto answer = read_answer(*kOpenAi, bytes, step);
    ASSERT_FALSE(answer.error) << answer.error->message;
    EXPECT_THAT(answer.tokens, ElementsAre("It is"));
    ASSERT_TRUE(answer.end);
    EXPECT_EQ(answer.end->reason, FinishReason::length);
    EXPECT_EQ(answer.end->prompt_tokens, 12);
  }
  EXPECT_FALSE(read_answer(*kOpenAi, bytes, 100, false).end) << "its end is still to come";
}

TEST(OpenAiDialect, AnObjectThatIsNoAnswerFails) {
  for (const char* body : {R"({"choices":[{"message":{"content":"cut)", R"({"choices":[]})",
                           R"({"choices":[{}]})", R"({"status":"ok"})", R"({"choices":[1]})"}) {
    const auto answer = read_answer(*kOpenAi, body);
    ASSERT_TRUE(answer.error) << body;
    EXPECT_EQ(answer.error->code, ErrorCode::generation_error) << body;
    EXPECT_THAT(answer.tokens, ElementsAre());
  }
  EXPECT_THAT(read_answer(*kOpenAi, R"({"error":{"message":"no memory"}})").error->message,
              HasSubstr("no memory"));
  EXPECT_TRUE(read_answer(*kOpenAi, "{" + std::string(2 << 20, ' ')).error);
}

TEST(OpenAiDialect, AsksWithEveryOptionAndTheKey) {
  Request request;
  request.messages = {{Role::user, "u"}};
  request.sampling = {
      .temperature = 0.2F, .top_p = 1.0F, .top_k = 40, .seed = 7, .stop = {"E"}, .max_tokens = 5};
  const auto asked = kOpenAi->chat(request, "m", {});
  EXPECT_EQ(asked.target, "/chat/completions");
  EXPECT_THAT(asked.headers, Contains(Pair("Authorization", "Bearer key")));
  EXPECT_EQ(json::parse(asked.body), json::parse(R"({"model":"m","stream":true,
    "messages":[{"role":"user","content":"u"}],"stream_options":{"include_usage":true},
    "temperature":0.2,"top_p":1.0,"max_tokens":5,"seed":7,"stop":["E"]})"));
  EXPECT_TRUE(make_openai_dialect("")->list().headers.empty());
}

TEST(OpenAiDialect, ARefusedFormIsChangedAsTheServerSays) {
  constexpr std::string_view kTokens =
      R"({"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens"}})";
  constexpr std::string_view kTemperature =
      R"({"error":{"message":"Unsupported value: 'temperature' does not support 0.7 with this model.","param":"temperature"}})";
  const auto first = kOpenAi->other_form(kTokens, {});
  EXPECT_EQ(first, (RequestForm{.max_completion_tokens = true}));
  EXPECT_EQ(kOpenAi->other_form(kTokens, *first), std::nullopt);
  const auto second = kOpenAi->other_form(kTemperature, *first);
  EXPECT_EQ(second, (RequestForm{.max_completion_tokens = true, .own_sampling = true}));
  EXPECT_EQ(kOpenAi->other_form(kTemperature, *second), std::nullopt);
  EXPECT_EQ(kOpenAi->other_form(R"({"error":"temperature must be below 2"})", {}), std::nullopt);
  Request request;
  request.sampling.max_tokens = 5;
  const auto body = json::parse(kOpenAi->chat(request, "m", *second).body).as_object();
  EXPECT_EQ(body.at("max_completion_tokens"), 5);
  for (const char* left_out : {"max_tokens", "temperature", "top_p"}) {
    EXPECT_FALSE(body.contains(left_out)) << left_out;
  }
}

// A prompt may be quoted in a refusal, with words that are about something else.
TEST(OpenAiDialect, OnlyWhatTheRefusalIsAboutIsChanged) {
  constexpr std::string_view kQuoted =
      R"({"error":{"message":"refused: 'temperature' is not supported","param":"messages"}})";
  EXPECT_EQ(kOpenAi->other_form(kQuoted, {}), std::nullopt);
}

TEST(OpenAiDialect, AServerThatDoesNotKnowStreamOptionsIsNotSentThem) {
  constexpr std::string_view kForbidden =
      R"({"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"no extras"}]})";
  const auto form = kOpenAi->other_form(kForbidden, {});
  ASSERT_EQ(form, (RequestForm{.no_usage = true}));
  EXPECT_EQ(kOpenAi->other_form(kForbidden, *form), std::nullopt);
  Request request;
  EXPECT_TRUE(
      json::parse(kOpenAi->chat(request, "m", {}).body).as_object().contains("stream_options"));
  EXPECT_FALSE(
      json::parse(kOpenAi->chat(request, "m", *form).body).as_object().contains("stream_options"));
}

TEST(OpenAiDialect, TopPIsAboveZero) {
  Request request;
  request.sampling.top_p = 0;
  const auto body = json::parse(kOpenAi->chat(request, "m", {}).body).as_object();
  EXPECT_GT(body.at("top_p").as_double(), 0);
}

TEST(OpenAiDialect, ListsModels) {
  EXPECT_THAT(*kOpenAi->models(R"({"object":"list","data":[{"id":"m1"},{"id":"m2"}]})"),
              ElementsAre("m1", "m2"));
  EXPECT_FALSE(kOpenAi->models("[]"));
}

}  // namespace
}  // namespace tars::llm
