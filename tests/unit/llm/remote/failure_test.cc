#include "llm/remote/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tars::llm {
namespace {

using ::testing::HasSubstr;

const net::Endpoint kHost{.host = "gpu", .port = 1};

Failure refused(unsigned status, std::string_view body = "", net::Headers headers = {}) {
  net::ResponseHead head;
  head.status = status;
  head.headers = std::move(headers);
  return refusal(head, body, kHost, "m");
}

TEST(Failure, AnUnknownModelIsNamedAndOthersAreAsked) {
  const Failure f = refused(404, R"({"error":"model 'm' not found"})");
  EXPECT_EQ(f.error.code, ErrorCode::model_not_found);
  EXPECT_THAT(f.error.message, HasSubstr("model 'm' not found"));
  EXPECT_TRUE(f.others_may_answer);
  EXPECT_FALSE(f.host_is_down);
}

TEST(Failure, APageThatIsNotThereIsAWrongAddress) {
  for (const char* body : {"", "404 page not found", "<html></html>", R"({"detail":"Not Found"})",
                           R"({"error":{"message":"File Not Found","code":404}})"}) {
    const Failure f = refused(404, body);
    EXPECT_EQ(f.error.code, ErrorCode::backend_unavailable) << body;
    EXPECT_THAT(f.error.message, HasSubstr("is the address right")) << body;
  }
  for (const char* body : {R"({"object":"error","message":"The model `m` does not exist."})",
                           R"({"detail":"Model not found"})",
                           R"({"error":{"code":"model_not_found","message":"no"}})"}) {
    EXPECT_EQ(refused(404, body).error.code, ErrorCode::model_not_found) << body;
  }
  EXPECT_EQ(refused(400, R"({"error":{"code":"model_not_found"}})").error.code,
            ErrorCode::model_not_found);
}

TEST(Failure, ABusyServerSaysWhenToComeBack) {
  EXPECT_EQ(refused(429, "", {{"retry-after", "17"}}).error.retry_after, std::chrono::seconds(17));
  EXPECT_EQ(refused(429, "", {{"retry-after", "17"}}).rest, std::chrono::seconds(17));
  EXPECT_EQ(refused(503).error.retry_after, std::chrono::seconds(5));
  EXPECT_EQ(refused(503).rest, std::chrono::seconds(0)) << "it did not ask for any";
  const std::string at = "Fri, 31 Dec 1999 23:59:59 GMT";
  const std::string before = "Fri, 31 Dec 1999 23:59:19 GMT";
  const auto after = [](net::Headers headers) {
    return refused(429, "", std::move(headers)).error.retry_after;
  };
  EXPECT_EQ(after({{"Retry-After", at}, {"Date", before}}), std::chrono::seconds(40));
  EXPECT_EQ(after({{"Retry-After", at}}), std::chrono::seconds(1)) << "it has passed";
  EXPECT_EQ(after({{"Retry-After", "0"}}), std::chrono::seconds(1));
  for (const char* odd : {"", "soon", "1.5", "-", "Fri, 31 Dec 1999", "5 minutes"}) {
    EXPECT_EQ(after({{"Retry-After", odd}}), std::chrono::seconds(5)) << odd;
  }
  EXPECT_EQ(after({{"Retry-After", "99999999999999999999"}}), std::chrono::seconds(3600));
  EXPECT_EQ(refused(503, "", {{"Retry-After", "4000000000"}}).error.retry_after,
            std::chrono::seconds(3600));
  EXPECT_EQ(refused(503).error.code, ErrorCode::overloaded);
  EXPECT_EQ(refused(529).error.code, ErrorCode::overloaded);
  EXPECT_FALSE(refused(503).host_is_down);
}

TEST(Failure, AServersWordsAreToldAndNotLogged) {
  for (const unsigned status : {400U, 401U, 403U, 404U, 413U, 429U, 500U, 502U, 503U, 504U}) {
    const Failure f = refused(status, R"({"error":{"message":"cannot parse PROMPT"}})");
    EXPECT_THAT(f.error.message, HasSubstr("PROMPT")) << status;
    EXPECT_THAT(for_log(f.error), ::testing::Not(HasSubstr("PROMPT"))) << status;
    EXPECT_THAT(for_log(broken_off(f)), ::testing::Not(HasSubstr("PROMPT"))) << status;
  }
  EXPECT_THAT(for_log(refused(302, R"({"error":"moved"})").error), HasSubstr("redirect"));
}

TEST(Failure, EachStatusMeansWhatItSays) {
  EXPECT_EQ(refused(401).error.code, ErrorCode::backend_unavailable);
  EXPECT_THAT(refused(302).error.message, HasSubstr("redirect"));
  EXPECT_EQ(refused(302).error.code, ErrorCode::backend_unavailable);
  EXPECT_TRUE(refused(502).host_is_down);
  EXPECT_EQ(refused(500, R"({"error":"boom"})").error.code, ErrorCode::generation_error);
  EXPECT_TRUE(refused(500).others_may_answer);
  EXPECT_EQ(refused(400).error.code, ErrorCode::generation_error);
  EXPECT_FALSE(refused(400).others_may_answer);
  EXPECT_TRUE(refused(408).others_may_answer);
  EXPECT_TRUE(refused(408).host_did_badly);
}

TEST(Failure, APromptThatIsTooLongIsToldApart) {
  net::ResponseHead head;
  head.status = 400;
  const Failure f = refusal(
      head,
      R"({"error":{"message":"maximum context length is 4096","code":"context_length_exceeded"}})",
      kHost, "m");
  EXPECT_EQ(f.error.code, ErrorCode::context_overflow);
}

TEST(Failure, EveryServersWordsForTooLongAreKnown) {
  for (
      const char* body : {
          R"({"error":{"code":400,"type":"exceed_context_size_error","message":"request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it"}})",
          R"({"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 9000"})",
          R"({"error":"inputs tokens + max_new_tokens must be <= 4096"})",
          R"({"error":{"message":"Prompt is too long: 9000 tokens"}})",
          R"({"error":{"message":"The maximum number of tokens is 4096"}})",
          R"({"error":{"message":"prompt length exceeds MAX_SEQ_LEN"}})",
          R"({"error":{"message":"no","n_prompt_tokens":9000,"n_ctx":4096}})",
          R"({"n_prompt_tokens":9000,"n_ctx":4096})",
          R"({"error":{"message":"This model's maximum prompt length is 131072 but the request contains 537812 tokens."}})",
          R"({"error":{"message":"input length and `max_tokens` exceed context limit: 199000 + 2048 > 200000"}})",
          R"({"error":{"message":"Input is too long for requested model."}})",
          R"({"error":{"message":"Input length (5000 tokens) exceeds the maximum allowed length (4090 tokens)."}})",
          R"({"error":{"message":"max_tokens=2048 cannot be greater than max_model_len=max_total_tokens=1024."}})",
          R"({"error":{"message":"The decoder prompt (length 9) is longer than the maximum model length of 4."}})",
          R"([{"error":{"message":"no","n_prompt_tokens":9000,"n_ctx":4096}}])",
      }) {
    EXPECT_EQ(refused(400, body).error.code, ErrorCode::context_overflow) << body;
  }
  EXPECT_EQ(refused(413).error.code, ErrorCode::context_overflow);
  const Failure internal =
      refused(500, R"({"error":"rpc error: the request exceeds the available context size"})");
  EXPECT_EQ(internal.error.code, ErrorCode::context_overflow);
  EXPECT_FALSE(internal.others_may_answer);
  for (const char* body : {R"({"n_prompt_tokens":9,"n_ctx":4096})", "temperature is too high", "[]",
                           R"({"error":{"message":"max_tokens must be a number"}})"}) {
    EXPECT_EQ(refused(400, body).error.code, ErrorCode::generation_error) << body;
  }
}

TEST(Failure, ABrokenConnectionAndARefusedOneAreTriedElsewhere) {
  EXPECT_TRUE(transport_failure(make_error(ErrorCode::io_error, "reset"), kHost).others_may_answer);
  const Failure down =
      transport_failure(make_error(ErrorCode::backend_unavailable, "refused"), kHost);
  EXPECT_TRUE(down.host_is_down);
  EXPECT_TRUE(transport_failure(make_error(ErrorCode::timeout, ""), kHost).host_is_down);
  EXPECT_FALSE(transport_failure(make_error(ErrorCode::closed, ""), kHost).others_may_answer);
  EXPECT_EQ(down.error.code, ErrorCode::backend_unavailable);
}

TEST(Failure, WantOfDescriptorsIsNotTheHosts) {
  const Failure want =
      transport_failure(make_error(ErrorCode::overloaded, "no socket can be opened"), kHost);
  EXPECT_EQ(want.error.code, ErrorCode::overloaded);
  EXPECT_EQ(want.error.message, "no socket can be opened");
  EXPECT_TRUE(want.error.retry_after);
  EXPECT_TRUE(want.is_our_want);
  EXPECT_FALSE(want.host_is_down);
  EXPECT_FALSE(want.host_did_badly);
  EXPECT_FALSE(want.others_may_answer);
}

TEST(Failure, AHostThatIsSilentIsLeftOutAndOthersAreAsked) {
  const Failure f = silent(kHost);
  EXPECT_EQ(f.error.code, ErrorCode::backend_unavailable);
  EXPECT_THAT(f.error.message, HasSubstr("http://gpu:1 answers neither"));
  EXPECT_TRUE(f.host_is_down);
  EXPECT_TRUE(f.others_may_answer);
}

TEST(Failure, TheMostTellingOfSeveralIsTold) {
  const Error down = make_error(ErrorCode::backend_unavailable, "");
  const Error unknown = make_error(ErrorCode::model_not_found, "");
  const Error busy = make_error(ErrorCode::overloaded, "");
  EXPECT_EQ(more_telling(down, unknown).code, ErrorCode::model_not_found);
  EXPECT_EQ(more_telling(unknown, down).code, ErrorCode::model_not_found);
  EXPECT_EQ(more_telling(busy, unknown).code, ErrorCode::overloaded);
  Error soon = busy;
  Error later = busy;
  soon.retry_after = std::chrono::seconds(2);
  later.retry_after = std::chrono::seconds(60);
  EXPECT_EQ(more_telling(later, soon).retry_after, soon.retry_after);
  EXPECT_EQ(more_telling(soon, later).retry_after, soon.retry_after);
}

TEST(Failure, InTheMiddleOfAnAnswerEverythingIsAGenerationError) {
  for (const ErrorCode code : {ErrorCode::timeout, ErrorCode::io_error,
                               ErrorCode::backend_unavailable, ErrorCode::generation_error}) {
    EXPECT_EQ(broken_off({.error = make_error(code, "x")}).code, ErrorCode::generation_error);
  }
  EXPECT_THAT(broken_off(transport_failure(make_error(ErrorCode::timeout, ""), kHost)).message,
              HasSubstr("no token came in time"));
}

TEST(Failure, TheHostIsNamed) {
  EXPECT_EQ(transport_failure(make_error(ErrorCode::io_error, "reset"), kHost).error.message,
            "http://gpu:1: reset");
}

TEST(Failure, AnErrorInAStreamIsJudgedAsARefusal) {
  const auto said = [](ErrorCode code) { return said_in_stream(make_error(code, "no")); };
  EXPECT_FALSE(said(ErrorCode::context_overflow).others_may_answer);
  EXPECT_FALSE(said(ErrorCode::context_overflow).host_did_badly);
  EXPECT_TRUE(said(ErrorCode::model_not_found).others_may_answer);
  EXPECT_FALSE(said(ErrorCode::model_not_found).host_did_badly);
  EXPECT_TRUE(said(ErrorCode::generation_error).others_may_answer);
  EXPECT_TRUE(said(ErrorCode::generation_error).host_did_badly);
}

TEST(Failure, AHostIsBlamedForWhatIsItsOwn) {
  for (const unsigned status : {401U, 302U, 429U, 500U, 502U, 503U}) {
    EXPECT_TRUE(refused(status).host_did_badly) << status;
  }
  for (const unsigned status : {400U, 404U, 413U, 422U}) {
    EXPECT_FALSE(refused(status, R"({"error":"no"})").host_did_badly) << status;
  }
}

TEST(Failure, AKeyIsForNobodyToRead) {
  EXPECT_EQ(without_secret("bad key sk-12345678, sk-12345678!", "sk-12345678"),
            "bad key [the key], [the key]!");
  EXPECT_EQ(without_secret("bad key: sk-1234567", "sk-12345678"), "bad key: [the key]") << "cut";
  EXPECT_EQ(without_secret("bad key: sk-1234", "sk-12345678"), "bad key: sk-1234") << "no secret";
  EXPECT_EQ(without_secret("a model", ""), "a model");
  EXPECT_EQ(without_secret("the ollama model", "ollama"), "the ollama model");
}

}  // namespace
}  // namespace tars::llm
