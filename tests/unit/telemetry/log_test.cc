#include "telemetry/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace tars::telemetry {
namespace {

class LogTest : public testing::Test {
 protected:
  ~LogTest() override { configure_log(LogLevel::info, LogFormat::text); }
};

TEST_F(LogTest, WritesLinesOfItsLevelToStderr) {
  configure_log(LogLevel::warning, LogFormat::text);
  testing::internal::CaptureStderr();
  log(LogLevel::info, "too quiet");
  log(LogLevel::error, "loud", {{"n", 1}});
  const std::string out = testing::internal::GetCapturedStderr();
  EXPECT_THAT(out, testing::EndsWith(" ERROR loud n=1\n"));
  EXPECT_THAT(out, testing::Not(testing::HasSubstr("too quiet")));
  EXPECT_FALSE(log_enabled(LogLevel::info));
  EXPECT_TRUE(log_enabled(LogLevel::warning));
}

TEST_F(LogTest, PercentSignsAndBracesMeanNothing) {
  testing::internal::CaptureStderr();
  log(LogLevel::info, "100 % {} %v", {{"v", "%s{0}"}});
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("100 % {} %v v=\"%s{0}\"\n"));
}

TEST_F(LogTest, LinesOfManyThreadsNeverMix) {
  configure_log(LogLevel::info, LogFormat::json);
  testing::internal::CaptureStderr();
  std::vector<std::jthread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([] {
      for (int i = 0; i < 100; ++i) log(LogLevel::info, "line", {{"text", std::string(200, 'x')}});
    });
  }
  writers.clear();
  const std::string out = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::ranges::count(out, '\n'), 400);
  EXPECT_EQ(out.find("}{"), std::string::npos);
}

}  // namespace
}  // namespace tars::telemetry
