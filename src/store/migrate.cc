#include "store/migrate.h"

namespace tars::store {

namespace {

Result<int> stored_version(Database& database) {
  auto statement = database.prepare("PRAGMA user_version");
  if (!statement) return statement.error();
  auto row = statement->step();
  if (!row) return row.error();
  return static_cast<int>(statement->integer(0));
}

// Reads the version again inside the transaction: another connection may have been quicker.
Result<void> apply(Database& database, const Migration& migration) {
  auto transaction = Transaction::begin(database);
  if (!transaction) return transaction.error();
  auto version = stored_version(database);
  if (!version) return version.error();
  if (*version >= migration.version) return {};
  if (auto done = database.execute(migration.sql); !done) return done.error();
  const std::string set = "PRAGMA user_version=" + std::to_string(migration.version);
  if (auto done = database.execute(set); !done) return done.error();
  return transaction->commit();
}

}  // namespace

Result<int> migrate(Database& database, const std::string& path,
                    std::span<const Migration> migrations) {
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    if (migrations[i].version != static_cast<int>(i) + 1) {
      return make_error(ErrorCode::internal, "the migrations of " + path + " have a gap");
    }
  }
  const int newest = static_cast<int>(migrations.size());
  auto version = stored_version(database);
  if (!version) return version.error();
  if (*version > newest) {
    return make_error(ErrorCode::config_error,
                      path + " was written by a newer T.A.R.S. (schema " +
                          std::to_string(*version) + ", this program knows " +
                          std::to_string(newest) +
                          "): update the program, or set TARS_DATA_DIR to another folder");
  }
  for (const Migration& migration : migrations) {
    if (migration.version <= *version) continue;
    if (auto done = apply(database, migration); !done) return done.error();
  }
  return newest;
}

}  // namespace tars::store
