#include "config/suggest.h"

#include <gtest/gtest.h>

namespace tars::config {
namespace {

TEST(Suggest, DistanceCountsEditsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("abc", "abd"), 1U);
  EXPECT_EQ(edit_distance("abc", "acb"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("ab", "xaby"), 2U);
}

TEST(Suggest, FindsTheNearestNameOrAlias) {
  EXPECT_EQ(nearest_option("MODEL_PAHT", 2), "MODEL_PATH");
  EXPECT_EQ(nearest_option("BACKEND_PROT", 2), "BACKEND_PORT");
  EXPECT_EQ(nearest_option("TARS_PORT", 2), "TARS_PORT");
}

TEST(Suggest, AShortNameMayDifferLess) {
  EXPECT_EQ(likely_distance("TARS_FOO"), 2U);
  EXPECT_EQ(likely_distance("MODEL_CONTEXT_LENGTH"), 3U);
  EXPECT_EQ(likely_distance(""), 0U);
}

TEST(Suggest, LeavesFarNamesAlone) {
  EXPECT_EQ(nearest_option("HTTP_PROXY", 2), std::nullopt);
  EXPECT_EQ(nearest_option(std::string(10000, 'A'), 2), std::nullopt);
  EXPECT_EQ(nearest_option("", 2), std::nullopt);
}

}  // namespace
}  // namespace tars::config
