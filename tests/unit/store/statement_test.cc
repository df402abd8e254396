#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/database.h"

namespace tars::store {
namespace {

class StatementTest : public ::testing::Test {
 protected:
  Database database_ =
      Database::open(":memory:", Durability::process_crash,
                     std::array{Migration{1, "CREATE TABLE t(a INTEGER, b TEXT, c BLOB, d TEXT)"}})
          .value();
};

TEST_F(StatementTest, GivesBackWhatWasBound) {
  const std::string text("text with \0 inside", 18);
  const std::string bytes("\0\xff\x80", 3);
  auto insert = database_.prepare("INSERT INTO t VALUES (?, ?, ?, ?)").value();
  ASSERT_TRUE(insert.bind(1, std::int64_t{-9'000'000'000})
                  .bind(2, std::string_view(text))
                  .bind_blob(3, bytes)
                  .bind(4, nullptr)
                  .run());
  auto select = database_.prepare("SELECT a, b, c, d FROM t").value();
  ASSERT_TRUE(select.step().value());
  EXPECT_EQ(select.integer(0), -9'000'000'000);
  EXPECT_EQ(select.text(1), text);
  EXPECT_EQ(select.blob(2), bytes);
  EXPECT_TRUE(select.is_null(3));
  EXPECT_FALSE(select.is_null(1));
  EXPECT_EQ(select.text(3), "");
  EXPECT_FALSE(select.step().value());
}

TEST_F(StatementTest, BindsAnEmptyTextAsTextNotAsNull) {
  auto insert = database_.prepare("INSERT INTO t(b, c) VALUES (?, ?)").value();
  ASSERT_TRUE(insert.bind(1, std::string_view()).bind_blob(2, {}).run());
  auto select = database_.prepare("SELECT b IS NULL, c IS NULL FROM t").value();
  ASSERT_TRUE(select.step().value());
  EXPECT_EQ(select.integer(0), 0);
  EXPECT_EQ(select.integer(1), 0);
}

TEST_F(StatementTest, AnswersABindOutOfRangeAtTheNextStep) {
  auto insert = database_.prepare("INSERT INTO t(a) VALUES (?)").value();
  EXPECT_EQ(insert.bind(2, std::int64_t{1}).run().error().code, ErrorCode::store_unavailable);
}

TEST_F(StatementTest, ResetsWhenItGoesAway) {
  ASSERT_TRUE(database_.execute("INSERT INTO t(a) VALUES (1), (2)"));
  {
    auto select = database_.prepare("SELECT a FROM t").value();
    ASSERT_TRUE(select.step().value());
  }
  // A statement left open would keep its read lock and make this fail.
  EXPECT_TRUE(database_.execute("DROP TABLE t"));
}

TEST_F(StatementTest, MovesItsCursor) {
  ASSERT_TRUE(database_.execute("INSERT INTO t(a) VALUES (1), (2)"));
  auto first = database_.prepare("SELECT a FROM t ORDER BY a").value();
  ASSERT_TRUE(first.step().value());
  Statement second = std::move(first);
  ASSERT_TRUE(second.step().value());
  EXPECT_EQ(second.integer(0), 2);
  second = database_.prepare("SELECT 7").value();
  ASSERT_TRUE(second.step().value());
  EXPECT_EQ(second.integer(0), 7);
}

TEST_F(StatementTest, RefusesARowThatBreaksAConstraint) {
  ASSERT_TRUE(database_.execute("CREATE UNIQUE INDEX one ON t(a)"));
  ASSERT_TRUE(database_.execute("INSERT INTO t(a) VALUES (1)"));
  auto insert = database_.prepare("INSERT INTO t(a) VALUES (?)").value();
  const auto done = insert.bind(1, std::int64_t{1}).run();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, ::testing::HasSubstr("UNIQUE"));
}

}  // namespace
}  // namespace tars::store
