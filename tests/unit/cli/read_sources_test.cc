#include "cli/read_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "../../support/another_user.h"

namespace tars::cli {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

class ReadSourcesTest : public testing::Test {
 protected:
  ReadSourcesTest() : before_(std::filesystem::current_path()) {
    std::string pattern = testing::TempDir() + "tars-sources-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    std::filesystem::current_path(folder_);
  }
  ~ReadSourcesTest() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(folder_);
  }

  const std::filesystem::path before_;
  std::filesystem::path folder_;
};

TEST_F(ReadSourcesTest, NoDotenvIsFine) { EXPECT_EQ(read_sources({}).value().dotenv_text, ""); }

TEST_F(ReadSourcesTest, TheWorkingFoldersDotenvIsRead) {
  std::ofstream(".env") << "TARS_PORT=1\n";
  const config::Sources sources = read_sources({}).value();
  EXPECT_EQ(sources.dotenv_path, ".env");
  EXPECT_EQ(sources.dotenv_text, "TARS_PORT=1\n");
}

TEST_F(ReadSourcesTest, ANamedFileReplacesItAndMustBeThere) {
  std::ofstream(".env") << "TARS_PORT=1\n";
  std::ofstream("other") << "TARS_PORT=2\n";
  Command command;
  command.env_file = "other";
  EXPECT_EQ(read_sources(command).value().dotenv_text, "TARS_PORT=2\n");
  command.env_file = "none";
  EXPECT_THAT(read_sources(command).error().message,
              HasSubstr("none cannot be read (No such file"));
}

// Whoever called sudo stands in a folder of his own.
TEST_F(ReadSourcesTest, AFolderThatIsClosedHasNone) {
  std::ofstream(".env") << "TARS_PORT=1\n";
  std::filesystem::permissions(folder_, std::filesystem::perms::none);
  const auto read = [] {
    const AsAnotherUser nobody;
    return read_sources({});
  }();
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->dotenv_text, "");
}

TEST_F(ReadSourcesTest, AFolderIsNoFile) {
  std::filesystem::create_directory(".env");
  EXPECT_THAT(read_sources({}).error().message, HasSubstr(".env cannot be read"));
}

TEST_F(ReadSourcesTest, ALinkThatLeadsNowhereIsSaid) {
  std::filesystem::create_symlink("gone", ".env");
  EXPECT_THAT(read_sources({}).error().message, HasSubstr(".env cannot be read (No such file"));
}

TEST_F(ReadSourcesTest, APipeThatNobodyWritesToIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(".env", 0600), 0);
  EXPECT_THAT(read_sources({}).error().message, HasSubstr(".env cannot be read (it is no regular"));
}

TEST_F(ReadSourcesTest, WhatHasNoEndIsRefused) {
  Command command;
  command.env_file = "/dev/zero";
  EXPECT_THAT(read_sources(command).error().message, HasSubstr("larger than 1 MiB"));
}

TEST_F(ReadSourcesTest, TheEnvironmentAndTheFlagsAreThere) {
  ::setenv("TARS_SOURCES_TEST", "a=b", 1);
  Command command;
  command.flags = {{"TARS_PORT", "3"}};
  const config::Sources sources = read_sources(command).value();
  EXPECT_THAT(sources.environment, Contains(Pair("TARS_SOURCES_TEST", "a=b")));
  EXPECT_THAT(sources.flags, Contains(Pair("TARS_PORT", "3")));
  ::unsetenv("TARS_SOURCES_TEST");
}

}  // namespace
}  // namespace tars::cli
