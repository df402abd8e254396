#include "store/copy_database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "../../support/temp_folder.h"
#include "store/database.h"

namespace tars::store {
namespace {

constexpr std::array kSchema{Migration{1, "CREATE TABLE a(n INTEGER); CREATE TABLE b(n INTEGER)"}};

class CopyDatabaseTest : public testing::Test {
 protected:
  Database open(const std::filesystem::path& path) {
    return Database::open(path, Durability::process_crash, kSchema).value();
  }
  static std::int64_t count(Database& database, std::string_view sql) {
    auto statement = database.prepare(sql).value();
    EXPECT_TRUE(statement.step().value());
    return statement.integer(0);
  }

  const TempFolder folder_;
  const std::filesystem::path from_ = folder_.path() / "from.db";
  const std::filesystem::path to_ = folder_.path() / "to.db";
};

TEST_F(CopyDatabaseTest, TakesWhatIsStillInTheWriteAheadLog) {
  Database original = open(from_);
  ASSERT_TRUE(original.execute("INSERT INTO a VALUES (1)"));
  EXPECT_EQ(copy_database(from_, to_).value(), 1);
  EXPECT_FALSE(std::filesystem::exists(to_.string() + "-wal"));
  struct stat status{};
  ASSERT_EQ(::stat(to_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  Database copy = open(to_);
  EXPECT_EQ(count(copy, "SELECT count(*) FROM a"), 1);
}

// SQLite's own files, but to.db lies where no memory can be shared, as on some network folders.
int open_without_shared_memory(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags,
                               int* out_flags) {
  sqlite3_vfs* own = sqlite3_vfs_find("unix");
  const int code = own->xOpen(own, name, file, flags, out_flags);
  if (code != SQLITE_OK || name == nullptr || !std::string_view(name).ends_with("to.db"))
    return code;
  static sqlite3_io_methods methods;
  methods = *file->pMethods;
  methods.iVersion = 1;
  file->pMethods = &methods;
  return code;
}

TEST_F(CopyDatabaseTest, NeedsNoSharedMemoryWhereTheCopyLies) {
  Database original = open(from_);
  ASSERT_TRUE(original.execute("INSERT INTO a VALUES (1)"));
  sqlite3_vfs* own = sqlite3_vfs_find("unix");
  sqlite3_vfs elsewhere = *own;
  elsewhere.zName = "elsewhere";
  elsewhere.xOpen = open_without_shared_memory;
  ASSERT_EQ(sqlite3_vfs_register(&elsewhere, 1), SQLITE_OK);
  const auto copied = copy_database(from_, to_);
  sqlite3_vfs_unregister(&elsewhere);
  sqlite3_vfs_register(own, 1);
  ASSERT_TRUE(copied) << copied.error().message;
  Database copy = open(to_);
  EXPECT_EQ(count(copy, "SELECT count(*) FROM a"), 1);
}

TEST_F(CopyDatabaseTest, IsOneMomentWhileOthersWrite) {
  Database original = open(from_);
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) {
      EXPECT_TRUE(
          original.execute("BEGIN; INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); COMMIT"));
    }
  });
  for (int i = 0; i < 5; ++i) {
    const auto to = folder_.path() / ("to" + std::to_string(i));
    const auto copied = copy_database(from_, to);
    ASSERT_TRUE(copied) << copied.error().message;
    Database copy = open(to);
    EXPECT_EQ(count(copy, "SELECT count(*) FROM a"), count(copy, "SELECT count(*) FROM b"));
  }
  stop = true;
  writer.join();
}

TEST_F(CopyDatabaseTest, LeavesNothingBehindWhenItFails) {
  EXPECT_FALSE(copy_database(from_, to_));
  EXPECT_FALSE(std::filesystem::exists(from_));
  EXPECT_FALSE(std::filesystem::exists(to_));
  std::ofstream(from_) << std::string(8192, 'x');
  const auto foreign = copy_database(from_, to_);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, ErrorCode::store_unavailable);
  EXPECT_FALSE(std::filesystem::exists(to_));
}

TEST_F(CopyDatabaseTest, NamesTheCopyWhenThatCannotBeWritten) {
  Database original = open(from_);
  ASSERT_TRUE(original.execute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
      "INSERT INTO a SELECT i FROM n"));
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{200000, 200000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(2);
    const auto copied = copy_database(from_, to_);
    const std::string text = copied ? "" : copied.error().message;
    ::_exit(text.find(to_.string()) != std::string::npos &&
                    text.find(from_.string()) == std::string::npos
                ? 0
                : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(CopyDatabaseTest, NeverOverwrites) {
  open(from_);
  std::ofstream(to_) << "mine";
  EXPECT_THAT(copy_database(from_, to_).error().message, testing::HasSubstr(to_.string()));
  EXPECT_EQ(std::filesystem::file_size(to_), 4U);
}

}  // namespace
}  // namespace tars::store
