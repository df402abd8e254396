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

TEST(OpenAiDialect, AFinishReasonThatSaysItWasCutIsNoEnd) {
  for (const char* reason : {"abort", "error", "content_filter", "insufficient_system_resource",
                             "SAFETY", "network_error"}) {
    const auto answer = read_answer(
        *kOpenAi, chunk("a") + chunk("", '"' + std::string(reason) + '"') + "data: [DONE]\n\n");
    EXPECT_THAT(answer.tokens, ElementsAre("a"));
    ASSERT_TRUE(answer.error) << reason;
    EXPECT_EQ(answer.error->code, ErrorCode::generation_error);
    EXPECT_FALSE(answer.end) << reason;
    EXPECT_TRUE(
        read_answer(*kOpenAi, R"({"choices":[{"message":{"content":"a"},"finish_reason":")" +
                                  std::string(reason) + R"("}]})")
            .error)
        << reason;
  }
  const auto answer = read_answer(
      *kOpenAi,
      R"(data: {"choices":[{"delta":{"content":""},"finish_reason":"error","error":{"code":502,"message":"no worker"}}]})"
      "\n\ndata: [DONE]\n\n");
  EXPECT_THAT(answer.error->message, HasSubstr("no worker"));
}

TEST(OpenAiDialect, TheWordsForAnEndAreMany) {
  for (const char* reason : {"eos", "end_turn", "STOP", "tool_calls"}) {
    const auto answer = read_answer(*kOpenAi, chunk("a", '"' + std::string(reason) + '"'));
    ASSERT_TRUE(answer.end) << reason;
    EXPECT_EQ(answer.end->reason, FinishReason::stop);
  }
  for (const char* reason : {"MAX_TOKENS", "max_tokens", "model_length"}) {
    const auto answer = read_answer(*kOpenAi, chunk("a", '"' + std::string(reason) + '"'));
    ASSERT_TRUE(answer.end) << reason;
    EXPECT_EQ(answer.end->reason, FinishReason::length);
  }
  EXPECT_TRUE(read_answer(*kOpenAi, chunk("a", R"("null")")).error) << "that is none";
}

TEST(OpenAiDialect, AFieldNamedErrorIsLlamaServersFailure) {
  const auto answer = read_answer(
      *kOpenAi, chunk("a") + R"(error: {"code":500,"message":"no memory","type":"server_error"})"
                             "\n\ndata: [DONE]\n\n");
  ASSERT_TRUE(answer.error);
  EXPECT_THAT(answer.error->message, HasSubstr("no memory"));
}

TEST(OpenAiDialect, AnErrorInAStreamMeansWhatItsRefusalWould) {
  const auto code = [](const std::string& data) {
    const auto answer = read_answer(*kOpenAi, data + "\n\n");
    return answer.error ? answer.error->code : ErrorCode::internal;
  };
  for (
      const char* data : {
          "event: error\n"
          R"(data: {"error":{"message":"the model is loaded with context length of only 4096 tokens"}})",
          R"(data: {"error":"Input validation error: `inputs` must have less than 4095 tokens"})",
          R"(data: {"error_type":"context_length_exceeded","error_message":"too long"})",
          R"(data: {"error":{"message":"no","n_prompt_tokens":9000,"n_ctx":4096}})",
          R"(error: {"code":400,"message":"the request exceeds the available context size"})",
      }) {
    EXPECT_EQ(code(data), ErrorCode::context_overflow) << data;
  }
  for (const char* error :
       {R"({"message":"slow down","code":429})", R"({"code":"429"})", R"({"code":529})",
        R"({"type":"overloaded_error"})", R"({"code":"rate_limit_exceeded"})"}) {
    EXPECT_EQ(code(std::string("data: {\"error\":") + error + "}"), ErrorCode::overloaded) << error;
  }
  EXPECT_EQ(code(R"(data: {"error":{"code":"model_not_found"}})"), ErrorCode::model_not_found);
  EXPECT_EQ(code(R"(data: {"error":{"code":500}})"), ErrorCode::generation_error);
}

TEST(OpenAiDialect, AWholeMessageAsOneEventIsAnAnswerOnce) {
  const auto event = [](const std::string& choice) {
    return R"(data: {"choices":[{"index":0,)" + choice + "}]}\n\n";
  };
  const std::string whole = event(R"("message":{"content":"ab"},"finish_reason":"stop")");
  EXPECT_THAT(read_answer(*kOpenAi, whole).tokens, ElementsAre("ab"));
  EXPECT_THAT(read_answer(*kOpenAi, chunk("a") + chunk("b") + whole).tokens, ElementsAre("a", "b"));
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
        R"({"error":{"message":"too late"}})", R"({"choices":[{"finish_reason":"abort"}]})", "",
        " ", "[]"}) {
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
      read_answer(*kOpenAi,
                  "data:\n\ndata: {\"choices\":null}\n\ndata: {\"usage\":{}}\n\n"
                  R"(data: {"object":"chat.completion.chunk","service_tier":"default"})"
                  "\n\n" +
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

TEST(OpenAiDialect, OneOfTemperatureAndTopPIsLeftOutWhereBothAreRefused) {
  constexpr std::string_view kBoth =
      R"({"error":{"message":"`temperature` and `top_p` cannot both be specified for this model. Please use only one.","param":null}})";
  const auto form = kOpenAi->other_form(kBoth, {});
  ASSERT_EQ(form, (RequestForm{.no_top_p = true}));
  EXPECT_EQ(kOpenAi->other_form(kBoth, *form), std::nullopt);
  const auto body = json::parse(kOpenAi->chat({}, "m", *form).body).as_object();
  EXPECT_TRUE(body.contains("temperature"));
  EXPECT_FALSE(body.contains("top_p"));
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
