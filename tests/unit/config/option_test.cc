#include "config/option.h"

#include <gtest/gtest.h>

namespace tars::config {
namespace {

TEST(Option, IsFoundByNameAndAlias) {
  ASSERT_NE(find_option("TARS_PORT"), nullptr);
  EXPECT_EQ(find_option("BACKEND_PORT"), find_option("TARS_PORT"));
  EXPECT_EQ(find_option("OLLAMA_CONTEXT_LENGTH"), find_option("MODEL_CONTEXT_LENGTH"));
  EXPECT_EQ(find_option("tars_port"), nullptr);
  EXPECT_EQ(find_option(""), nullptr);
}

TEST(Option, FlagsAreKebabCase) { EXPECT_EQ(flag_name("WS_RATE_BURST"), "ws-rate-burst"); }

TEST(Option, SaysWhatItExpects) {
  EXPECT_EQ(expected_value(*find_option("TARS_PORT")), "an integer from 0 to 65535");
  EXPECT_EQ(expected_value(*find_option("MODEL_THREADS")),
            "an integer from 1 to 512 (threads), or auto");
  EXPECT_EQ(expected_value(*find_option("LOG_LEVEL")),
            "TRACE, DEBUG, INFO, WARN, WARNING, ERROR or CRITICAL");
  EXPECT_EQ(expected_value(*find_option("TARS_ENV")), "development or production");
  EXPECT_EQ(expected_value(*find_option("JWT_ALGORITHM")), "HS256");
  EXPECT_EQ(expected_value(*find_option("RUNS_PER_CLIENT")),
            "two integers from 1 to 10000 with a comma between (runs)");
  EXPECT_EQ(expected_value(*find_option("JWT_SECRET_KEY")), "text of 32 to 4096 bytes");
}

TEST(Option, EveryGroupHasATitle) {
  for (const Option& option : options()) EXPECT_FALSE(group_title(option.group).empty());
}

}  // namespace
}  // namespace tars::config
