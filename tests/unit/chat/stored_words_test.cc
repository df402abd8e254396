#include "chat/stored_words.h"

#include <gtest/gtest.h>

namespace tars::chat {
namespace {

TEST(StoredWordsTest, StatusesComeBack) {
  for (const auto status : {RunStatus::queued, RunStatus::running, RunStatus::complete,
                            RunStatus::cancelled, RunStatus::failed, RunStatus::interrupted}) {
    EXPECT_EQ(status_from_word(to_word(status)), status);
  }
  EXPECT_EQ(status_from_word("nonsense"), RunStatus::failed);
}

TEST(StoredWordsTest, ErrorsOfRunsComeBackOthersAreInternal) {
  for (const auto code : {ErrorCode::generation_error, ErrorCode::context_overflow,
                          ErrorCode::history_lost, ErrorCode::backend_unavailable}) {
    EXPECT_EQ(error_from_word(to_word(code)), code);
  }
  EXPECT_EQ(to_word(ErrorCode::rate_limited), "internal");
  EXPECT_EQ(error_from_word("nonsense"), ErrorCode::internal);
}

}  // namespace
}  // namespace tars::chat
