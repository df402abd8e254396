#include "api/error_table.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tars::api {
namespace {

// The last enumerator; a new one behind it makes the count below fail.
constexpr int kLast = static_cast<int>(ErrorCode::internal);

TEST(ErrorTable, HasEveryCodeOnce) {
  std::set<int> seen;
  for (const ErrorRow& row : error_table())
    EXPECT_TRUE(seen.insert(static_cast<int>(row.code)).second);
  for (int code = 0; code <= kLast; ++code) EXPECT_TRUE(seen.contains(code)) << code;
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kLast) + 1);
}

TEST(ErrorTable, SocketCodesAreTheClosedTableOfTheContract) {
  const std::set<std::string_view> allowed = {"INVALID_JSON",
                                              "INVALID_MESSAGE",
                                              "GENERATION_ERROR",
                                              "RAG_GENERATION_ERROR",
                                              "MODEL_NOT_FOUND",
                                              "OVERLOADED",
                                              "CONTEXT_OVERFLOW",
                                              "RUN_NOT_FOUND",
                                              "BACKEND_UNAVAILABLE",
                                              "RATE_LIMITED",
                                              "HISTORY_LOST",
                                              "TOKEN_REVOKED",
                                              "INTERNAL"};
  for (const ErrorRow& row : error_table()) EXPECT_TRUE(allowed.contains(row.ws_code)) << row.name;
}

TEST(ErrorTable, TheModelIsNotBlamedForTheStore) {
  EXPECT_EQ(error_row(ErrorCode::store_unavailable).ws_code, "INTERNAL");
}

TEST(ErrorTable, StatusesAreErrors) {
  for (const ErrorRow& row : error_table()) {
    EXPECT_GE(row.status, 400U) << row.name;
    EXPECT_LT(row.status, 600U) << row.name;
    EXPECT_FALSE(row.title.empty());
  }
  EXPECT_EQ(error_row(ErrorCode::invalid_json).status, 422U);
  EXPECT_EQ(error_row(ErrorCode::rate_limited).status, 429U);
}

TEST(ErrorTable, TokenWordsBecomeSentences) {
  EXPECT_EQ(token_error_text("token_wrong_type"), "Invalid token type");
  for (const char* word : {"token_missing", "token_expired", "token_not_yet_valid", "token_revoked",
                           "token_invalid"}) {
    EXPECT_NE(token_error_text(word), word);
  }
}

}  // namespace
}  // namespace tars::api
