#include "store/check_database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "../../support/temp_folder.h"
#include "store/database.h"

namespace tars::store {
namespace {

using ::testing::HasSubstr;

class CheckDatabaseTest : public ::testing::Test {
 protected:
  std::string refusal() const {
    const auto checked = check_database(path_);
    return checked ? "" : checked.error().message;
  }
  const TempFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "x.db";
};

TEST_F(CheckDatabaseTest, OneThatIsMissingOrEmptyIsMadeAtStart) {
  EXPECT_EQ(refusal(), "");
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  std::ofstream(path_) << "";
  EXPECT_EQ(refusal(), "");
}

TEST_F(CheckDatabaseTest, OneThatIsThereStaysAsItIs) {
  {
    ASSERT_TRUE(Database::open(path_, Durability::process_crash, {}));
  }
  EXPECT_EQ(refusal(), "");
  EXPECT_FALSE(std::filesystem::exists(path_.string() + "-wal"));
}

TEST_F(CheckDatabaseTest, WhatIsNoDatabaseIsToldAsAtStart) {
  for (const std::string text : {"x", "this is no database, and longer than a header is"}) {
    std::ofstream(path_) << text;
    EXPECT_THAT(refusal(), HasSubstr("the file is not a database: " + path_.string())) << text;
  }
  std::filesystem::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(refusal(), HasSubstr("is not a database"));
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_THAT(refusal(), HasSubstr("cannot be opened (Is a directory)"));
}

TEST_F(CheckDatabaseTest, AFileThatIsSomebodyElsesIsNamed) {
  for (const char* suffix : {"", "-wal"}) {
    std::ofstream(path_.string() + suffix) << "";
    ASSERT_EQ(::chmod((path_.string() + suffix).c_str(), suffix[0] == 0 ? 0666 : 0400), 0);
  }
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::getuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
    ::_exit(refusal().starts_with(path_.string() + "-wal cannot be opened (Permission") ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace tars::store
