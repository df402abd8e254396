#include "app/folder_owner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../support/temp_folder.h"

namespace tars::app {
namespace {

TEST(FolderOwner, OnesOwnAndAMissingFolderAreFine) {
  const TempFolder folder;
  EXPECT_TRUE(check_owner(folder.path()));
  EXPECT_TRUE(check_owner(folder.path() / "none"));
}

TEST(FolderOwner, RootStaysOutOfAnothersFolder) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  const TempFolder folder;
  ASSERT_EQ(::chown(folder.path().c_str(), 65534, 65534), 0);
  const auto refused = check_owner(folder.path());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("sudo -u 'nobody' env TARS_DATA_DIR='" +
                                                          folder.path().string() + "' tars"));
}

TEST(FolderOwner, AFolderThatOthersMayWriteWarns) {
  const TempFolder folder;
  for (const mode_t good : {0700, 0750, 0755}) {
    ASSERT_EQ(::chmod(folder.path().c_str(), good), 0);
    EXPECT_FALSE(open_folder_warning(folder.path())) << good;
  }
  for (const mode_t bad : {0777, 01777, 0770, 0702}) {
    ASSERT_EQ(::chmod(folder.path().c_str(), bad), 0);
    EXPECT_THAT(open_folder_warning(folder.path()).value_or(""),
                testing::HasSubstr("chmod 700 '" + folder.path().string()))
        << bad;
  }
  EXPECT_FALSE(open_folder_warning(folder.path() / "none"));
  EXPECT_FALSE(open_folder_warning("/dev/null"));
}

TEST(FolderOwner, AnOwnerWithoutANameGoesByNumber) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  const TempFolder folder;
  ASSERT_EQ(::chown(folder.path().c_str(), 54321, 54321), 0);
  EXPECT_THAT(check_owner(folder.path()).error().message, testing::HasSubstr("'#54321'"));
}

}  // namespace
}  // namespace tars::app
