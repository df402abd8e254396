#include "api/ws/frames.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace tars::api {
namespace {

const WallTime kNow{std::chrono::seconds{1'800'000'000}};

chat::RunInfo run_info() {
  chat::RunInfo info;
  info.id = "run_1";
  info.conversation_id = "c1";
  info.model = "tiny";
  return info;
}

boost::json::object parse(const std::string& frame) {
  return boost::json::parse(frame).as_object();
}

TEST(Frames, EachHasItsTypeAndATimestamp) {
  const std::string frames[] = {
      connection_ack_frame("me", "s", std::chrono::seconds(30), "1", kNow),
      queued_frame(run_info(), 2, kNow),
      TokenFrames(run_info()).render({"x", 0, 1}, kNow),
      complete_frame(run_info(), {}, 3, kNow),
      error_frame(make_error(ErrorCode::internal, "x"), {}, kNow),
      ping_frame(kNow),
      pong_frame(kNow),
      system_frame(SystemLevel::warning, "careful", kNow)};
  std::size_t index = 0;
  for (const std::string_view type : kServerFrameTypes) {
    const auto which =
        std::find_if(std::begin(frames), std::end(frames), [&](const std::string& f) {
          return parse(f).at("type").as_string() ==
                 boost::json::string_view(type.data(), type.size());
        });
    ASSERT_NE(which, std::end(frames)) << type;
    EXPECT_EQ(parse(*which).at("timestamp").as_string(), "2027-01-15T08:00:00.000000Z");
    ++index;
  }
  EXPECT_EQ(index, std::size(frames));
}

TEST(Frames, AckSaysTheHeartbeat) {
  const auto ack = parse(connection_ack_frame("me", "s", std::chrono::seconds(30), "1.2", kNow));
  EXPECT_EQ(ack.at("heartbeat_interval_s").to_number<double>(), 30);
  EXPECT_EQ(ack.at("client_id").as_string(), "me");
  EXPECT_EQ(ack.at("server_version").as_string(), "1.2");
}

TEST(Frames, ATokenIsOneFrameWhateverItsBufferHeld) {
  std::string frame(1000, 'x');
  TokenFrames(run_info()).render({"Grüße", 4, 2}, kNow, frame);
  const chat::RunInfo run = run_info();
  EXPECT_EQ(frame, R"({"type":"token","token":"Grüße","conversation_id":")" + run.conversation_id +
                       R"(","run_id":")" + run.id + R"(","offset":4,"count":2,"timestamp":")" +
                       format_rfc3339(kNow) + R"("})");
}

TEST(Frames, TokenCountsOnlyWhenSeveral) {
  const auto one = parse(TokenFrames(run_info()).render({"a\"b", 4, 1}, kNow));
  EXPECT_EQ(one.at("token").as_string(), "a\"b");
  EXPECT_EQ(one.at("offset").as_int64(), 4);
  EXPECT_FALSE(one.contains("count"));
  EXPECT_EQ(parse(TokenFrames(run_info()).render({"ab", 4, 2}, kNow)).at("count").as_int64(), 2);
}

TEST(Frames, CompleteHasTheContractsFields) {
  chat::Outcome outcome;
  outcome.finish_reason = "length";
  outcome.latency_ms = 12.5;
  const auto frame = parse(complete_frame(run_info(), outcome, 7, kNow));
  for (const char* key :
       {"conversation_id", "total_tokens", "latency_ms", "run_id", "finish_reason", "prompt_tokens",
        "cached_tokens", "ttft_ms", "tokens_per_second", "model"}) {
    EXPECT_TRUE(frame.contains(key)) << key;
  }
  EXPECT_EQ(frame.at("total_tokens").as_int64(), 7);
}

TEST(Frames, ErrorCarriesIdsAndRetry) {
  Error error = make_error(ErrorCode::overloaded, "busy");
  error.retry_after = std::chrono::seconds(3);
  const auto frame = parse(error_frame(error, {"c", std::nullopt, "m"}, kNow));
  EXPECT_EQ(frame.at("code").as_string(), "OVERLOADED");
  EXPECT_EQ(frame.at("error").as_string(), "busy");
  EXPECT_EQ(frame.at("retry_after_s").as_int64(), 3);
  EXPECT_EQ(frame.at("message_id").as_string(), "m");
  EXPECT_FALSE(frame.contains("run_id"));
}

TEST(Frames, FailuresNameTheRun) {
  chat::Outcome outcome;
  outcome.status = chat::RunStatus::interrupted;
  const auto lost = parse(failure_frame(run_info(), outcome, kNow));
  EXPECT_EQ(lost.at("code").as_string(), "HISTORY_LOST");
  EXPECT_EQ(lost.at("run_id").as_string(), "run_1");
  outcome.status = chat::RunStatus::failed;
  EXPECT_EQ(parse(failure_frame(run_info(), outcome, kNow)).at("code").as_string(),
            "GENERATION_ERROR");
}

}  // namespace
}  // namespace tars::api
