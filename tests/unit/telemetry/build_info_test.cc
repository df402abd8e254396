#include "telemetry/build_info.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tars::telemetry {
namespace {

TEST(BuildInfo, TheVersionHasThreeNumbers) {
  const std::string_view text = version();
  EXPECT_EQ(std::count(text.begin(), text.end(), '.'), 2);
  EXPECT_EQ(text.find_first_not_of("0123456789."), std::string_view::npos);
}

TEST(BuildInfo, TheCompilerIsNamed) {
  EXPECT_TRUE(compiler().starts_with("GCC ") || compiler().starts_with("Clang "));
}

}  // namespace
}  // namespace tars::telemetry
