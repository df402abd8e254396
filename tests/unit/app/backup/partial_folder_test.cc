#include "app/backup/partial_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "../../../support/temp_folder.h"
#include "base/ids.h"

namespace tars::app {
namespace {

class PartialFolderTest : public testing::Test {
 protected:
  // As a process leaves it that is killed in the middle.
  std::filesystem::path abandoned() const {
    const pid_t child = ::fork();
    if (child == 0) {
      static_cast<void>(
          make_id("other"));  // else both would make the same next id: a fork copies the generator
      const auto partial = PartialFolder::make(target_);
      std::ofstream(partial->path() / "some.db") << "half";
      ::kill(::getpid(), SIGKILL);
    }
    ::waitpid(child, nullptr, 0);
    return std::filesystem::directory_iterator(folder_.path())->path();
  }

  const TempFolder folder_;
  const std::filesystem::path target_ = folder_.path() / "copy";
};

TEST_F(PartialFolderTest, IsPrivateAndBesideItsTarget) {
  const auto partial = PartialFolder::make(target_).value();
  EXPECT_THAT(partial.path().string(), testing::StartsWith(target_.string() + ".partial_"));
  struct stat status{};
  ASSERT_EQ(::stat(partial.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  EXPECT_FALSE(PartialFolder::make("/no/such/folder/copy"));
}

TEST_F(PartialFolderTest, OfAKilledProcessGoesAtTheNext) {
  const auto left = abandoned();
  ASSERT_TRUE(std::filesystem::exists(left / "some.db"));
  const auto next = PartialFolder::make(target_).value();
  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_TRUE(std::filesystem::exists(next.path()));
}

TEST_F(PartialFolderTest, OfALivingProcessStays) {
  const auto first = PartialFolder::make(target_).value();
  const auto second = PartialFolder::make(target_).value();
  EXPECT_TRUE(std::filesystem::exists(first.path()));
  EXPECT_NE(first.path(), second.path());
}

TEST_F(PartialFolderTest, WhatIsOnlyNamedLikeItStays) {
  const std::string id(26, '0');
  const auto other = folder_.path() / ("other.partial_" + id);
  const auto short_id = folder_.path() / "copy.partial_1";
  const auto file = folder_.path() / ("copy.partial_" + id);
  std::filesystem::create_directory(other);
  std::filesystem::create_directory(short_id);
  std::ofstream(file) << "mine";
  ASSERT_TRUE(PartialFolder::make(target_));
  for (const auto& path : {other, short_id, file}) {
    EXPECT_TRUE(std::filesystem::exists(path)) << path;
  }
}

}  // namespace
}  // namespace tars::app
