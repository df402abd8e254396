#include <gtest/gtest.h>

#include <array>

#include "store/database.h"

namespace tars::store {
namespace {

class TransactionTest : public ::testing::Test {
 protected:
  std::int64_t rows() {
    auto statement = database_.prepare("SELECT count(*) FROM t").value();
    EXPECT_TRUE(statement.step().value());
    return statement.integer(0);
  }
  Database database_ = Database::open(":memory:", Durability::process_crash,
                                      std::array{Migration{1, "CREATE TABLE t(a INTEGER)"}})
                           .value();
};

TEST_F(TransactionTest, KeepsWhatWasCommitted) {
  {
    auto transaction = Transaction::begin(database_).value();
    ASSERT_TRUE(database_.execute("INSERT INTO t VALUES (1)"));
    ASSERT_TRUE(transaction.commit());
  }
  EXPECT_EQ(rows(), 1);
}

TEST_F(TransactionTest, RollsBackWhenItGoesAway) {
  {
    auto transaction = Transaction::begin(database_).value();
    ASSERT_TRUE(database_.execute("INSERT INTO t VALUES (1)"));
  }
  EXPECT_EQ(rows(), 0);
}

TEST_F(TransactionTest, RollsBackOnceAfterAMove) {
  {
    auto transaction = Transaction::begin(database_).value();
    Transaction moved = std::move(transaction);
    ASSERT_TRUE(database_.execute("INSERT INTO t VALUES (1)"));
    ASSERT_TRUE(moved.commit());
  }
  EXPECT_EQ(rows(), 1);
}

TEST_F(TransactionTest, RefusesASecondOneInside) {
  auto transaction = Transaction::begin(database_).value();
  EXPECT_FALSE(Transaction::begin(database_));
}

TEST_F(TransactionTest, CanBeginAgainAfterAFailedOne) {
  ASSERT_TRUE(
      database_.execute("CREATE TABLE child(a INTEGER REFERENCES parent(a) DEFERRABLE"
                        " INITIALLY DEFERRED); CREATE TABLE parent(a INTEGER PRIMARY KEY)"));
  {
    auto transaction = Transaction::begin(database_).value();
    ASSERT_TRUE(database_.execute("INSERT INTO child VALUES (5)"));
    EXPECT_FALSE(transaction.commit());  // no such parent
  }
  EXPECT_TRUE(Transaction::begin(database_));
}

}  // namespace
}  // namespace tars::store
