#include "store/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "../../support/temp_folder.h"

namespace tars::store {
namespace {

using ::testing::HasSubstr;

constexpr std::array kSchema{Migration{1, "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)"}};

std::string pragma(Database& database, std::string_view sql) {
  auto statement = database.prepare(sql).value();
  EXPECT_TRUE(statement.step().value());
  return statement.text(0);
}

TEST(Database, OpensInMemory) {
  auto database = Database::open(":memory:", Durability::process_crash, kSchema);
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_EQ(database->schema_version(), 1);
  ASSERT_TRUE(database->execute("INSERT INTO t(v) VALUES ('x')"));
  EXPECT_EQ(database->last_insert_rowid(), 1);
  EXPECT_EQ(database->changes(), 1);
}

TEST(Database, UsesWalForeignKeysAndTheAskedDurability) {
  const TempFolder folder;
  auto crash = Database::open(folder.path() / "a.db", Durability::process_crash, kSchema).value();
  EXPECT_EQ(pragma(crash, "PRAGMA journal_mode"), "wal");
  EXPECT_EQ(pragma(crash, "PRAGMA foreign_keys"), "1");
  EXPECT_EQ(pragma(crash, "PRAGMA busy_timeout"), "5000");
  EXPECT_EQ(pragma(crash, "PRAGMA synchronous"), "1");
  auto power = Database::open(folder.path() / "b.db", Durability::power_loss, kSchema).value();
  EXPECT_EQ(pragma(power, "PRAGMA synchronous"), "2");
}

// SQLite itself keeps the old journal there, and says nothing.
TEST(Database, RefusesAPlaceThatCannotHaveTheLog) {
  const TempFolder folder;
  sqlite3_vfs* const usual = sqlite3_vfs_find(nullptr);
  sqlite3_vfs_register(sqlite3_vfs_find("unix-dotfile"), 1);
  const auto path = folder.path() / "a.db";
  const auto database = Database::open(path, Durability::process_crash, kSchema);
  sqlite3_vfs_register(usual, 1);
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, ErrorCode::store_unavailable);
  EXPECT_THAT(database.error().message, HasSubstr(path.string()));
  EXPECT_THAT(database.error().message, HasSubstr("'delete'"));
  EXPECT_THAT(database.error().message, HasSubstr("local disk"));
}

TEST(Database, KeepsRowsOverAReopen) {
  const TempFolder folder;
  const auto path = folder.path() / "a.db";
  {
    auto database = Database::open(path, Durability::process_crash, kSchema).value();
    ASSERT_TRUE(database.execute("INSERT INTO t(v) VALUES ('kept')"));
  }
  auto database = Database::open(path, Durability::process_crash, kSchema).value();
  auto statement = database.prepare("SELECT v FROM t").value();
  ASSERT_TRUE(statement.step().value());
  EXPECT_EQ(statement.text(0), "kept");
}

TEST(Database, MakesAFileThatOnlyTheOwnerReads) {
  const TempFolder folder;
  const auto path = folder.path() / "a.db";
  auto database = Database::open(path, Durability::process_crash, kSchema).value();
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST(Database, CachesStatementsByText) {
  auto database = Database::open(":memory:", Durability::process_crash, kSchema).value();
  for (int i = 0; i < 3; ++i) {
    auto insert = database.prepare("INSERT INTO t(v) VALUES (?)").value();
    if (i != 1) insert.bind(1, std::string_view("bound"));
    ASSERT_TRUE(insert.run());
  }
  // The second time nothing was bound: a cached statement must not remember the first value.
  auto count = database.prepare("SELECT count(*) FROM t WHERE v IS NULL").value();
  ASSERT_TRUE(count.step().value());
  EXPECT_EQ(count.integer(0), 1);
}

TEST(Database, AnswersAFaultInTheSql) {
  auto database = Database::open(":memory:", Durability::process_crash, kSchema).value();
  EXPECT_EQ(database.prepare("SELEC").error().code, ErrorCode::store_unavailable);
  EXPECT_EQ(database.prepare("").error().code, ErrorCode::internal);
  EXPECT_FALSE(database.execute("INSERT INTO nowhere VALUES (1)"));
}

TEST(Database, RefusesAFileThatIsNoDatabase) {
  const TempFolder folder;
  const auto path = folder.path() / "a.db";
  std::ofstream(path) << std::string(8192, 'x');
  const auto database = Database::open(path, Durability::process_crash, kSchema);
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, ErrorCode::store_unavailable);
  EXPECT_THAT(database.error().message, HasSubstr("is not a database"));
  EXPECT_THAT(database.error().message, HasSubstr(path.string()));
}

TEST(Database, SaysThatAFileIsDamaged) {
  const TempFolder folder;
  const auto path = folder.path() / "a.db";
  {
    auto database = Database::open(path, Durability::process_crash, kSchema).value();
    for (int i = 0; i < 2000; ++i) {
      ASSERT_TRUE(database.execute("INSERT INTO t(v) VALUES ('some text to fill the pages with')"));
    }
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(40960, '\x7f');
  file.close();
  auto database = Database::open(path, Durability::process_crash, kSchema);
  ASSERT_TRUE(database) << database.error().message;
  auto statement = database->prepare("SELECT max(length(v)) FROM t");
  const auto row = statement ? statement->step() : Result<bool>(statement.error());
  ASSERT_FALSE(row);
  EXPECT_EQ(row.error().code, ErrorCode::store_unavailable);
  EXPECT_THAT(row.error().message, HasSubstr("damaged"));
  EXPECT_THAT(row.error().message, HasSubstr("backup"));
}

TEST(Database, SaysThatItsFolderIsMissing) {
  const auto database =
      Database::open("/nonexistent/folder/a.db", Durability::process_crash, kSchema);
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, ErrorCode::store_unavailable);
  EXPECT_THAT(database.error().message, HasSubstr("/nonexistent/folder/a.db"));
  EXPECT_THAT(database.error().message, HasSubstr("TARS_DATA_DIR"));
}

// Runs `body` in a child, for limits and rights cannot be taken back. 0 = it held.
template <class F>
int in_child(F body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body() ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

TEST(Database, SaysThatAFileIsReadOnly) {
  const TempFolder folder;
  const auto path = folder.path() / "a.db";
  {
    ASSERT_TRUE(Database::open(path, Durability::process_crash, kSchema));
  }
  ASSERT_EQ(::chmod(path.c_str(), 0444), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  EXPECT_EQ(in_child([&] {
              if (::getuid() == 0 && ::setuid(65534) != 0) return false;
              const auto database = Database::open(path, Durability::process_crash, kSchema);
              return database.has_error() &&
                     database.error().code == ErrorCode::store_unavailable &&
                     database.error().message.find("read-only") != std::string::npos;
            }),
            0);
}

TEST(Database, SurvivesAFullDisk) {
  auto database = Database::open(":memory:", Durability::process_crash, kSchema).value();
  ASSERT_TRUE(database.execute("PRAGMA max_page_count=8"));
  Result<void> done;
  for (int i = 0; i < 100 && done; ++i) {
    auto insert = database.prepare("INSERT INTO t(v) VALUES (?)").value();
    done = insert.bind(1, std::string(1000, 'x')).run();
  }
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::store_unavailable);
  EXPECT_THAT(done.error().message, HasSubstr("the disk is full"));
  EXPECT_THAT(done.error().message, HasSubstr("free some space"));
  // With space again it goes on.
  ASSERT_TRUE(database.execute("PRAGMA max_page_count=1000"));
  EXPECT_TRUE(database.execute("INSERT INTO t(v) VALUES ('again')"));
}

TEST(Database, SaysThatAWriteWentOverALimit) {
  const TempFolder folder;
  EXPECT_EQ(
      in_child([&] {
        auto database =
            Database::open(folder.path() / "a.db", Durability::process_crash, kSchema).value();
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{200000, 200000};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
        for (int i = 0; i < 1000; ++i) {
          auto insert = database.prepare("INSERT INTO t(v) VALUES (?)").value();
          const auto done = insert.bind(1, std::string(2000, 'x')).run();
          if (done) continue;
          return done.error().message.find("quota") != std::string::npos;
        }
        return false;
      }),
      0);
}

TEST(Database, KnowsThatItsFileIsNoLongerThere) {
  const TempFolder folder;
  const auto data = folder.path() / "data";
  std::filesystem::create_directory(data);
  auto database = Database::open(data / "a.db", Durability::process_crash, kSchema).value();
  const FilePlace place = database.place();
  ASSERT_TRUE(database.execute("INSERT INTO t(v) VALUES ('x')"));
  EXPECT_TRUE(place.check());
  std::filesystem::remove_all(data);
  ASSERT_TRUE(database.execute("INSERT INTO t(v) VALUES ('x')")) << "which is why one must look";
  EXPECT_THAT(place.check().error().message, HasSubstr((data / "a.db").string()));
  auto memory = Database::open(":memory:", Durability::process_crash, kSchema).value();
  EXPECT_TRUE(memory.place().check());
}

TEST(Database, LosesNothingCommittedWhenKilled) {
  const TempFolder folder;
  const auto path = folder.path() / "a.db";
  const int status = in_child([&] {
    auto database = Database::open(path, Durability::process_crash, kSchema).value();
    database.execute("INSERT INTO t(v) VALUES ('committed')").value();
    auto transaction = Transaction::begin(database).value();
    database.execute("INSERT INTO t(v) VALUES ('not committed')").value();
    ::kill(::getpid(), SIGKILL);
    return true;
  });
  ASSERT_EQ(status, 100 + SIGKILL);
  auto database = Database::open(path, Durability::process_crash, kSchema).value();
  auto statement = database.prepare("SELECT group_concat(v) FROM t").value();
  ASSERT_TRUE(statement.step().value());
  EXPECT_EQ(statement.text(0), "committed");
}

}  // namespace
}  // namespace tars::store
