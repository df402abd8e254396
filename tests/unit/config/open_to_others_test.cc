#include "config/open_to_others.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>

#include "../../support/temp_folder.h"

namespace tars::config {
namespace {

using std::filesystem::perms;

TEST(OpenToOthers, AFileThatEveryUserMayRead) {
  // Not in TMPDIR, which may be for its owner alone.
  const std::filesystem::path file = "/tmp/tars-open-test-" + std::to_string(::getpid());
  std::ofstream(file) << "secret";
  const perms own = perms::owner_read | perms::owner_write | perms::group_read;
  std::filesystem::permissions(file, own);
  EXPECT_FALSE(is_open_to_others(file));
  std::filesystem::permissions(file, own | perms::others_read);
  EXPECT_TRUE(is_open_to_others(file));
  std::filesystem::remove(file);
  EXPECT_FALSE(is_open_to_others(file)) << "it is gone";
}

TEST(OpenToOthers, AFolderForItsOwnerAloneClosesIt) {
  const TempFolder folder;  // mode 0700
  const std::filesystem::path file = folder.path() / "key";
  std::ofstream(file) << "secret";
  std::filesystem::permissions(file, perms::owner_read | perms::others_read);
  EXPECT_FALSE(is_open_to_others(file));
}

TEST(OpenToOthers, WhatIsNoFileIsNot) {
  EXPECT_FALSE(is_open_to_others("/dev/null"));
  EXPECT_FALSE(is_open_to_others("/tmp"));
}

}  // namespace
}  // namespace tars::config
