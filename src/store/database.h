// SQLite behind RAII: connection, prepared statement, transaction, migrations.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/descriptor.h"
#include "base/error.h"
#include "store/file_place.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tars::store {

enum class Durability {
  process_crash,  // WAL, synchronous=NORMAL: survives kill -9
  power_loss,     // WAL, synchronous=FULL: survives a pulled plug too
};

struct Migration {
  int version;           // 1, 2, 3 … without gaps
  std::string_view sql;  // one or more statements, run in one transaction
};

class Statement;

// One connection. Owned and used by one thread at a time; nothing is shared. ":memory:" works.
// Failures are values: store_unavailable with SQLite's text, the path, and whether the disk is
// full.
class Database {
 public:
  static Result<Database> open(const std::filesystem::path& path, Durability durability,
                               std::span<const Migration> migrations);
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  // A cached prepared statement, reset and with cleared bindings; valid until the next prepare() of
  // the same text. `sql` must be a literal.
  Result<Statement> prepare(std::string_view sql);
  // Runs statements without parameters or rows.
  Result<void> execute(std::string_view sql);
  std::int64_t last_insert_rowid() const;
  int changes() const;
  int schema_version() const;
  // Where the file was when it was opened. Its check() tells whether what is written still gets
  // there; a copy of it may be used in any thread.
  const FilePlace& place() const;

 private:
  struct Connection;
  explicit Database(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

// A cursor over one statement; bind from 1, columns from 0 (as SQLite counts).
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();  // resets

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view value);  // copied
  Statement& bind(int index, std::nullptr_t);
  Statement& bind_blob(int index, std::string_view bytes);

  // true = a row is there, false = done.
  Result<bool> step();
  // For statements without rows.
  Result<void> run();

  std::int64_t integer(int column) const;
  std::string text(int column) const;
  std::string blob(int column) const;
  bool is_null(int column) const;

 private:
  void remember(int code);

  sqlite3_stmt* statement_ = nullptr;
  int bind_code_ = 0;  // SQLite's code of the first bind that failed; the next step() answers it
};

// BEGIN IMMEDIATE … COMMIT; rolls back unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

// An exclusive lock on the data folder for the life of the process: the second server refuses to
// start. It is on tars.lock and on the folder itself, which nobody removes as a stale lock.
class FolderLock {
 public:
  // For whoever is to get the lock although an operator's verb may have it for a moment.
  static constexpr std::chrono::seconds kPatience{2};

  // Makes the folder (mode 0700) where it is missing. Waits in this thread up to `patience` for
  // another holder. config_error naming TARS_DATA_DIR.
  static Result<FolderLock> acquire(
      const std::filesystem::path& folder,
      std::chrono::milliseconds patience = std::chrono::milliseconds::zero());
  // Could acquire() make the folder or write into it, and open the lock that is there? Its error if
  // not; makes nothing. Any thread.
  static Result<void> check(const std::filesystem::path& folder);

 private:
  FolderLock(Descriptor file, Descriptor folder)
      : file_(std::move(file)), folder_(std::move(folder)) {}
  Descriptor file_;
  Descriptor folder_;
};

}  // namespace tars::store
