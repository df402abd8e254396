#include "api/http/problem.h"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include "api/error_table.h"

namespace tars::api {
namespace {

std::string header(const net::HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

TEST(Problem, HasTheMembersOfRfc9457ForEveryCode) {
  for (const ErrorRow& row : error_table()) {
    const auto response =
        problem_response(make_error(row.code, "why"), {"/a?token=secret", "", "req-1"});
    EXPECT_EQ(header(response, "Content-Type"), "application/problem+json");
    const auto body = boost::json::parse(response.body).as_object();
    for (const char* key : {"type", "title", "status", "detail", "instance", "code", "trace_id"}) {
      EXPECT_TRUE(body.contains(key)) << key;
    }
    EXPECT_TRUE(body.at("detail").is_string());
    EXPECT_EQ(body.at("status").as_int64(), response.status);
    EXPECT_EQ(response.body.find("secret"), std::string::npos);
    EXPECT_EQ(body.contains("errors"), response.status == 422) << row.name;
    const bool waits = response.status == 429 || response.status == 503;
    EXPECT_EQ(header(response, "Retry-After").empty(), !waits) << row.name;
  }
}

TEST(Problem, ChallengesByRfc6750) {
  const Error error = make_error(ErrorCode::unauthorized, "token_missing");
  EXPECT_EQ(header(problem_response(error, {}), "WWW-Authenticate"), "Bearer");
  ProblemPlace sent;
  sent.token_sent = true;
  const auto refused =
      problem_response(make_error(ErrorCode::invalid_token, "token_expired"), sent);
  EXPECT_EQ(header(refused, "WWW-Authenticate"), "Bearer error=\"invalid_token\"");
}

TEST(Problem, ListsFieldsAndWaits) {
  Error error{ErrorCode::invalid_request, "a is bad", {{"a", "is bad"}}};
  const auto body = boost::json::parse(problem_response(error, {}).body);
  EXPECT_EQ(body.at("errors").at(0).at("field").as_string(), "a");
  Error limited = make_error(ErrorCode::rate_limited, "slow down");
  limited.retry_after = std::chrono::seconds(7);
  EXPECT_EQ(header(problem_response(limited, {}), "Retry-After"), "7");
}

TEST(Problem, PlainStatuses) {
  for (const unsigned status : {400U, 408U, 413U, 431U, 500U, 501U, 599U}) {
    const auto response = problem_response(status, "why", {"/\xff", "", "r"});
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(boost::json::parse(response.body).at("detail").as_string(), "why");
  }
}

}  // namespace
}  // namespace tars::api
