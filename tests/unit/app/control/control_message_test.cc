#include "app/control/control_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tars::app {
namespace {

using testing::HasSubstr;
using What = ControlRequest::What;

ControlRequest round_trip(const ControlRequest& request) {
  return parse_control_request(format_control_request(request)).value();
}
ControlAnswer round_trip(const ControlAnswer& answer) {
  return parse_control_answer(format_control_answer(answer)).value();
}

TEST(ControlMessage, RequestsComeThrough) {
  ControlRequest issue{.what = What::issue};
  issue.enroll = {.client_id = "a",
                  .device_name = "Küche \"1\"\n",
                  .device_type = "t",
                  .enrollment_key = std::nullopt};
  EXPECT_EQ(format_control_request(issue).find('\n'), std::string::npos);
  const ControlRequest issued = round_trip(issue);
  EXPECT_EQ(issued.what, What::issue);
  EXPECT_EQ(issued.enroll.client_id, "a");
  EXPECT_EQ(issued.enroll.device_name, "Küche \"1\"\n");
  EXPECT_EQ(issued.enroll.device_type, "t");

  ControlRequest list{.what = What::families};
  list.query = {.client_id = "b", .after = "fam_1", .limit = 5};
  const ControlRequest listed = round_trip(list);
  EXPECT_EQ(listed.what, What::families);
  EXPECT_EQ(listed.query.client_id, "b");
  EXPECT_EQ(listed.query.after, "fam_1");
  EXPECT_EQ(listed.query.limit, kControlPage);

  ControlRequest revoke{.what = What::revoke};
  revoke.family = "fam_2";
  EXPECT_EQ(round_trip(revoke).family, "fam_2");
  EXPECT_EQ(round_trip(ControlRequest{}).what, What::status);
}

TEST(ControlMessage, NonsenseIsRefused) {
  EXPECT_EQ(parse_control_request("").error().code, ErrorCode::invalid_json);
  EXPECT_EQ(parse_control_request("[]").error().code, ErrorCode::invalid_message);
  EXPECT_THAT(parse_control_request("{}").error().message, HasSubstr("ask"));
  EXPECT_THAT(parse_control_request(R"({"ask":"dance"})").error().message,
              HasSubstr("the same version of tars"));
  EXPECT_FALSE(parse_control_request(R"({"ask":"issue","client_id":5})"));
}

TEST(ControlMessage, AnswersComeThrough) {
  ControlAnswer answer;
  answer.server = RunningServer{"1.2", "/m.gguf", "CPU", {{"embedded", "m"}, {"ollama", "o"}}};
  answer.pair = IssuedPair{{"acc", "ref", std::chrono::seconds(60)}, "fam_1"};
  answer.families.push_back({{"a", "fam_1", "Phone", "ios", WallTime(std::chrono::seconds(5)),
                              WallTime(std::chrono::seconds(6))},
                             3});
  const ControlAnswer read = round_trip(answer);
  EXPECT_EQ(read.server->version, "1.2");
  EXPECT_EQ(read.server->model_path, "/m.gguf");
  ASSERT_EQ(read.server->backends.size(), 2U);
  EXPECT_EQ(read.server->backends[1].name, "ollama");
  EXPECT_EQ(read.server->backends[1].model, "o");
  EXPECT_EQ(read.pair->tokens.access_token, "acc");
  EXPECT_EQ(read.pair->tokens.refresh_token, "ref");
  EXPECT_EQ(read.pair->tokens.expires_in.count(), 60);
  EXPECT_EQ(read.pair->family, "fam_1");
  ASSERT_EQ(read.families.size(), 1U);
  EXPECT_EQ(read.families[0].device.client_id, "a");
  EXPECT_EQ(read.families[0].device.family, "fam_1");
  EXPECT_EQ(read.families[0].device.last_seen_at, WallTime(std::chrono::seconds(6)));
  EXPECT_EQ(read.families[0].sockets, 3U);
}

TEST(ControlMessage, AnEmptyAnswerAndAnErrorComeThrough) {
  const ControlAnswer empty = round_trip(ControlAnswer{});
  EXPECT_FALSE(empty.server || empty.pair);
  EXPECT_TRUE(empty.families.empty());
  const auto error = parse_control_answer(
      format_control_answer(make_error(ErrorCode::not_found, "there is no \"x\"")));
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().code, ErrorCode::io_error);
  EXPECT_EQ(error.error().message, "there is no \"x\"");
}

TEST(ControlMessage, BrokenAnswersAreErrors) {
  EXPECT_FALSE(parse_control_answer("nonsense"));
  EXPECT_FALSE(parse_control_answer(R"({"access_token":"a"})"));
  EXPECT_FALSE(parse_control_answer(R"({"families":[{"sid":""}]})"));
  EXPECT_FALSE(parse_control_answer(R"({"families":[{"sid":"f","created_at":"now"}]})"));
  EXPECT_TRUE(parse_control_answer(R"({"families":[5]})"));
}

}  // namespace
}  // namespace tars::app
