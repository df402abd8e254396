#include "app/models/content_range.h"

#include <gtest/gtest.h>

namespace tars::app {
namespace {

TEST(ContentRange, ReadsTheThreeForms) {
  const auto whole = parse_content_range("bytes 5-9/10").value();
  EXPECT_EQ(whole.first, 5U);
  EXPECT_EQ(whole.total, 10U);
  const auto unknown = parse_content_range("bytes 0-9/*").value();
  EXPECT_EQ(unknown.first, 0U);
  EXPECT_EQ(unknown.total, std::nullopt);
  const auto unsatisfied = parse_content_range("bytes */10").value();
  EXPECT_EQ(unsatisfied.first, std::nullopt);
  EXPECT_EQ(unsatisfied.total, 10U);
}

TEST(ContentRange, RefusesTheRest) {
  for (const char* bad : {"", "bytes", "bytes ", "bytes 5-9", "bytes 9-5/10", "bytes 5-10/10",
                          "bytes */*", "bytes -5/10", "bytes 5-/10", "items 5-9/10",
                          "bytes 5-9/10x", "bytes 5-99999999999999999999999/*", "bytes +5-9/10"}) {
    EXPECT_FALSE(parse_content_range(bad)) << bad;
  }
}

TEST(Decimal, IsDigitsAlone) {
  EXPECT_EQ(parse_decimal("0"), 0U);
  EXPECT_EQ(parse_decimal("18446744073709551615"), UINT64_MAX);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1,1", "18446744073709551616"}) {
    EXPECT_FALSE(parse_decimal(bad)) << bad;
  }
}

}  // namespace
}  // namespace tars::app
