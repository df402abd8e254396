#include <utility>

#include "store/database.h"

namespace tars::store {

Result<Transaction> Transaction::begin(Database& database) {
  // IMMEDIATE takes the write lock now: a later upgrade could fail with work half done.
  if (auto done = database.execute("BEGIN IMMEDIATE"); !done) return done.error();
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  // After some errors (a full disk) SQLite has rolled back already and answers with an error here.
  if (database_ != nullptr) static_cast<void>(database_->execute("ROLLBACK"));
}

Result<void> Transaction::commit() {
  if (auto done = database_->execute("COMMIT"); !done) return done.error();
  database_ = nullptr;
  return {};
}

}  // namespace tars::store
