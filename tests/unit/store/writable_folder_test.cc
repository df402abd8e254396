#include "store/writable_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "../../support/temp_folder.h"

namespace tars::store {
namespace {

TEST(WritableFolder, AFolderOrItsNearestParentDecides) {
  const TempFolder folder;
  EXPECT_FALSE(check_writable_folder(folder.path()));
  EXPECT_FALSE(check_writable_folder(folder.path() / "a" / "b" / "c"));
  EXPECT_FALSE(check_writable_folder(folder.path() / "a" / ""));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "a"));
}

TEST(WritableFolder, AFileOrALinkToNowhereIsNone) {
  const TempFolder folder;
  const auto file = folder.path() / "file";
  std::ofstream{file} << "";
  EXPECT_EQ(check_writable_folder(file), std::errc::not_a_directory);
  EXPECT_EQ(check_writable_folder(file / "below"), std::errc::not_a_directory);
  EXPECT_EQ(check_writable_folder("/dev/null"), std::errc::not_a_directory);
  const auto link = folder.path() / "link";
  std::filesystem::create_symlink(folder.path() / "none", link);
  EXPECT_EQ(check_writable_folder(link), std::errc::no_such_file_or_directory);
  std::filesystem::create_directory(folder.path() / "none");
  EXPECT_FALSE(check_writable_folder(link));
}

TEST(WritableFolder, TheKernelsTreesTakeNoFiles) {
  EXPECT_TRUE(check_writable_folder("/proc/x"));
  EXPECT_TRUE(check_writable_folder("/sys/x"));
}

TEST(WritableFolder, ItsModeCounts) {
  const TempFolder folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), 0555), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::getuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
    ::_exit(check_writable_folder(folder.path() / "x") == std::errc::permission_denied ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace tars::store
