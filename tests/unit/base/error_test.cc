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

}  // namespace
}  // namespace tars
