#include "base/error.h"

#include <gtest/gtest.h>

namespace tars {
namespace {

TEST(Error, AResultHoldsAValueOrAnError) {
  const Result<int> good = 7;
  EXPECT_EQ(good.value(), 7);
  const Result<int> bad = make_error(ErrorCode::not_found, "there is none");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::not_found);
  EXPECT_EQ(bad.error().message, "there is none");
  EXPECT_TRUE(bad.error().fields.empty());
  EXPECT_FALSE(bad.error().retry_after);
}

TEST(Error, AskingAnErrorForItsValueIsAFaultThatCarriesIt) {
  const Result<int> bad = make_error(ErrorCode::timeout, "too late");
  try {
    (void)bad.value();
    FAIL() << "no exception";
  } catch (const ErrorException& fault) {
    EXPECT_EQ(fault.error.code, ErrorCode::timeout);
    EXPECT_STREQ(fault.what(), "too late");
  }
}

TEST(Error, WhatItQuotesIsNotForTheLog) {
  Error error = make_error(ErrorCode::generation_error, "the server failed: cannot read SECRET");
  EXPECT_EQ(for_log(error), error.message);
  error.quoted = "cannot read SECRET";
  EXPECT_EQ(for_log(error), "the server failed: [its own words are not logged]");
  error.message = "in the middle: " + error.message + "; again";
  EXPECT_EQ(for_log(error),
            "in the middle: the server failed: [its own words are not logged]; again");
  error.message = "cannot read SEC...";
  EXPECT_EQ(for_log(error), "[its own words are not logged]");
}

}  // namespace
}  // namespace tars
