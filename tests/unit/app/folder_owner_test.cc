#include "app/folder_owner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
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
  EXPECT_THAT(refused.error().message, testing::AllOf(testing::HasSubstr(folder.path().string()),
                                                      testing::HasSubstr("sudo -u 'nobody' tars")));
}

TEST(FolderOwner, AnOwnerWithoutANameGoesByNumber) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  const TempFolder folder;
  ASSERT_EQ(::chown(folder.path().c_str(), 54321, 54321), 0);
  EXPECT_THAT(check_owner(folder.path()).error().message, testing::HasSubstr("'#54321'"));
}

}  // namespace
}  // namespace tars::app
