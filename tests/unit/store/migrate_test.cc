#include "store/migrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>

#include "../../support/temp_folder.h"

namespace tars::store {
namespace {

using ::testing::HasSubstr;

constexpr Migration kFirst{1, "CREATE TABLE t(a INTEGER); INSERT INTO t VALUES (1)"};
constexpr Migration kSecond{2, "ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'new'"};

TEST(Migrate, RunsOnlyWhatIsMissing) {
  const TempFolder folder;
  const auto path = folder.path() / "a.db";
  {
    auto database = Database::open(path, Durability::process_crash, std::array{kFirst}).value();
    EXPECT_EQ(database.schema_version(), 1);
  }
  auto database =
      Database::open(path, Durability::process_crash, std::array{kFirst, kSecond}).value();
  EXPECT_EQ(database.schema_version(), 2);
  auto row = database.prepare("SELECT count(*), max(b) FROM t").value();
  ASSERT_TRUE(row.step().value());
  EXPECT_EQ(row.integer(0), 1);
  EXPECT_EQ(row.text(1), "new");
}

TEST(Migrate, LeavesTheOldVersionWhenOneFails) {
  const TempFolder folder;
  const auto path = folder.path() / "a.db";
  const Migration broken{2, "CREATE TABLE half(a INTEGER); INSERT INTO missing VALUES (1)"};
  const auto failed = Database::open(path, Durability::process_crash, std::array{kFirst, broken});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::store_unavailable);
  auto database = Database::open(path, Durability::process_crash, std::array{kFirst}).value();
  EXPECT_EQ(database.schema_version(), 1);
  EXPECT_FALSE(database.prepare("SELECT * FROM half"));
}

TEST(Migrate, RefusesAFileOfANewerProgram) {
  const TempFolder folder;
  const auto path = folder.path() / "a.db";
  {
    ASSERT_TRUE(Database::open(path, Durability::process_crash, std::array{kFirst, kSecond}));
  }
  const auto database = Database::open(path, Durability::process_crash, std::array{kFirst});
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, ErrorCode::config_error);
  EXPECT_THAT(database.error().message, HasSubstr(path.string()));
  EXPECT_THAT(database.error().message,
              HasSubstr("newer T.A.R.S. (schema 2, this program knows 1)"));
  EXPECT_THAT(database.error().message, HasSubstr("update the program"));
}

TEST(Migrate, RefusesVersionsWithAGap) {
  const auto database =
      Database::open(":memory:", Durability::process_crash, std::array{kFirst, Migration{3, ""}});
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, ErrorCode::internal);
}

}  // namespace
}  // namespace tars::store
