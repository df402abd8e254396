#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <thread>

#include "../../support/temp_folder.h"
#include "store/database.h"

namespace tars::store {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST(FolderLock, MakesAPrivateFolder) {
  const TempFolder base;
  const auto folder = base.path() / "parent" / "data";
  ASSERT_TRUE(FolderLock::acquire(folder));
  struct stat info{};
  ASSERT_EQ(::stat(folder.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
  EXPECT_TRUE(std::filesystem::exists(folder / "tars.lock"));
}

TEST(FolderLock, RefusesASecondHolder) {
  const TempFolder folder;
  std::optional<FolderLock> first = FolderLock::acquire(folder.path()).value();
  const auto second = FolderLock::acquire(folder.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::config_error);
  EXPECT_THAT(second.error().message, HasSubstr("another T.A.R.S. uses this data folder"));
  EXPECT_THAT(second.error().message, HasSubstr(folder.path().string()));
  EXPECT_THAT(second.error().message, HasSubstr("TARS_DATA_DIR"));
  FolderLock moved = std::move(*first);
  first.reset();
  EXPECT_FALSE(FolderLock::acquire(folder.path())) << "a move must keep the lock";
}

TEST(FolderLock, HoldsAlthoughItsFileIsRemoved) {
  const TempFolder folder;
  const auto first = FolderLock::acquire(folder.path());
  ASSERT_TRUE(first);
  ASSERT_TRUE(std::filesystem::remove(folder.path() / "tars.lock"));
  EXPECT_FALSE(FolderLock::acquire(folder.path()));
}

TEST(FolderLock, IsFreeAgainAfterItsHolder) {
  const TempFolder folder;
  {
    ASSERT_TRUE(FolderLock::acquire(folder.path()));
  }
  EXPECT_TRUE(FolderLock::acquire(folder.path()));
}

TEST(FolderLock, WaitsForAHolderThatIsSoonDone) {
  const TempFolder folder;
  std::optional<FolderLock> verb = FolderLock::acquire(folder.path()).value();
  std::thread end([&verb] {
    std::this_thread::sleep_for(100ms);
    verb.reset();
  });
  EXPECT_TRUE(FolderLock::acquire(folder.path(), 10s));
  end.join();
}

TEST(FolderLock, WaitsNoLongerThanItsPatience) {
  const TempFolder folder;
  const auto holder = FolderLock::acquire(folder.path());
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(FolderLock::acquire(folder.path(), 100ms));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 100ms);
}

TEST(FolderLock, CanBeCheckedWithoutAFolder) {
  const TempFolder base;
  EXPECT_TRUE(FolderLock::check(base.path() / "parent" / "data"));
  EXPECT_TRUE(std::filesystem::is_empty(base.path()));
  const auto refused = FolderLock::check("/dev/null");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("TARS_DATA_DIR"));
}

TEST(FolderLock, IsFreeAgainAfterItsHolderWasKilled) {
  const TempFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = FolderLock::acquire(folder.path());
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(FolderLock::acquire(folder.path()));
}

TEST(FolderLock, NamesTheOptionWhenTheFolderCannotBeMade) {
  const auto lock = FolderLock::acquire("/proc/tars/data");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, ErrorCode::config_error);
  EXPECT_THAT(lock.error().message, HasSubstr("/proc/tars"));
  EXPECT_THAT(lock.error().message, HasSubstr("TARS_DATA_DIR"));
}

TEST(FolderLock, NamesTheOptionWhenTheFolderCannotBeWritten) {
  const TempFolder folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), 0555), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::getuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
    const auto lock = FolderLock::acquire(folder.path());
    const bool good = lock.has_error() && lock.error().code == ErrorCode::config_error &&
                      lock.error().message.find("TARS_DATA_DIR") != std::string::npos;
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(FolderLock, NamesAFileThatIsSomebodyElses) {
  if (::getuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  const TempFolder folder;
  ASSERT_TRUE(FolderLock::acquire(folder.path()));
  ASSERT_EQ(::chown(folder.path().c_str(), 65534, 65534), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setuid(65534) != 0) ::_exit(2);
    const auto lock = FolderLock::acquire(folder.path());
    const std::string wanted = (folder.path() / "tars.lock").string() + " cannot be opened";
    const auto check = FolderLock::check(folder.path());
    const bool good = lock.has_error() && lock.error().message.starts_with(wanted) &&
                      check.has_error() && check.error().message == lock.error().message;
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace tars::store
