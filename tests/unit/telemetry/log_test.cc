#include "telemetry/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "../../support/temp_folder.h"

namespace tars::telemetry {
namespace {

class LogTest : public testing::Test {
 protected:
  ~LogTest() override {
    close_log_file();
    configure_log(LogLevel::info, LogFormat::text);
  }
  static std::string content(const std::filesystem::path& path) {
    std::ifstream in(path);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  const TempFolder folder_;
};

TEST_F(LogTest, AFileTakesTheLinesAndIsOpenedAnewByName) {
  const auto path = folder_.path() / "tars.log";
  ASSERT_TRUE(open_log_file(path));
  testing::internal::CaptureStderr();
  log(LogLevel::info, "first");
  std::filesystem::rename(path, folder_.path() / "tars.log.1");
  log(LogLevel::info, "second");
  reopen_log_file();
  log(LogLevel::info, "third");
  close_log_file();
  log(LogLevel::info, "fourth");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::EndsWith(" INFO fourth\n"));
  EXPECT_THAT(
      content(folder_.path() / "tars.log.1"),
      testing::AllOf(testing::HasSubstr("INFO first\n"), testing::EndsWith("INFO second\n")));
  EXPECT_THAT(content(path), testing::EndsWith("INFO third\n"));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0027, 0U);
}

TEST_F(LogTest, AFileThatCannotBeOpenedChangesNothing) {
  const auto refused = open_log_file("/no/such/folder/tars.log");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::config_error);
  EXPECT_THAT(refused.error().message, testing::StartsWith("LOG_FILE: /no/such/folder/tars.log"));
  testing::internal::CaptureStderr();
  log(LogLevel::info, "still here");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("still here"));
}

TEST_F(LogTest, AFileThatCannotBeOpenedAnewIsKept) {
  const auto moved = folder_.path() / "moved";
  std::filesystem::create_directory(folder_.path() / "logs");
  ASSERT_TRUE(open_log_file(folder_.path() / "logs" / "tars.log"));
  std::filesystem::rename(folder_.path() / "logs", moved);
  reopen_log_file();
  close_log_file();
  EXPECT_THAT(content(moved / "tars.log"), testing::HasSubstr("was not opened anew"));
}

// stderr says it, once a minute: the file cannot.
TEST_F(LogTest, AFileThatTakesNothingIsSaidOnStderr) {
  const std::uint64_t before = lost_log_lines();
  const auto path = folder_.path() / "tars.log";
  std::filesystem::create_symlink("/dev/full", path);
  testing::internal::CaptureStderr();
  ASSERT_TRUE(open_log_file(path));
  for (int i = 0; i < 3; ++i) {
    log(LogLevel::info, "gone");
    wait_for_log_file(std::chrono::seconds(10));
  }
  const std::string out = testing::internal::GetCapturedStderr();
  EXPECT_THAT(out, testing::EndsWith(
                       " ERROR the log file loses lines cause=\"No space left on device\"\n"));
  EXPECT_EQ(std::ranges::count(out, '\n'), 1);
  EXPECT_EQ(lost_log_lines() - before, 3U);
}

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
