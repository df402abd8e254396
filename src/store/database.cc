#include "store/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <unordered_map>
#include <utility>

#include "base/string_hash.h"
#include "store/migrate.h"
#include "store/sqlite_error.h"

namespace tars::store {

namespace {

constexpr int kBusyTimeoutMs = 5000;

// SQLite would create the file readable for everyone; its -wal and -shm take over the mode we
// choose.
void create_private(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
}

// Where the file system lacks what the log needs, SQLite keeps its old journal and reports no
// error: then every reader would hold up every writer.
Result<void> use_wal(Database& database, const std::filesystem::path& path) {
  auto mode = database.prepare("PRAGMA journal_mode=WAL");
  if (!mode) return mode.error();
  auto row = mode->step();
  if (!row) return row.error();
  if (mode->text(0) == "wal" || path == ":memory:") return {};
  return make_error(ErrorCode::store_unavailable,
                    path.string() +
                        ": SQLite cannot have its write-ahead log there (its journal is '" +
                        mode->text(0) + "'); put the folder on a local disk");
}

}  // namespace

struct Database::Connection {
  sqlite3* handle = nullptr;
  std::unordered_map<std::string, sqlite3_stmt*, StringHash, std::equal_to<>> statements;
  int schema_version = 0;
  FilePlace place;

  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    for (auto& [text, statement] : statements) sqlite3_finalize(statement);
    sqlite3_close(handle);
  }
};

Database::Database(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::open(const std::filesystem::path& path, Durability durability,
                                std::span<const Migration> migrations) {
  if (path != ":memory:") create_private(path);
  auto connection = std::make_unique<Connection>();
  // One thread at a time uses a connection, so SQLite needs no mutex of its own.
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &connection->handle, flags, nullptr);
  if (code != SQLITE_OK) return sqlite_error(connection->handle, code, path.string());
  if (path != ":memory:") connection->place = FilePlace(path);
  sqlite3* handle = connection->handle;
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  if (sqlite3_db_readonly(handle, "main") == 1) {
    return sqlite_error(handle, SQLITE_READONLY, path.string());
  }

  Database database(std::move(connection));
  // The first statement that reads the file finds a foreign or damaged one.
  if (auto done = use_wal(database, path); !done) return done.error();
  for (const std::string_view pragma :
       {durability == Durability::power_loss ? std::string_view("PRAGMA synchronous=FULL")
                                             : std::string_view("PRAGMA synchronous=NORMAL"),
        std::string_view("PRAGMA foreign_keys=ON"),
        // Pages that are written again and again go to the database once per 16 MB of log.
        std::string_view("PRAGMA wal_autocheckpoint=4000"),
        std::string_view("PRAGMA journal_size_limit=16777216")}) {
    if (auto done = database.execute(pragma); !done) return done.error();
  }
  auto version = migrate(database, path.string(), migrations);
  if (!version) return version.error();
  database.connection_->schema_version = *version;
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) {
  auto& statements = connection_->statements;
  if (auto found = statements.find(sql); found != statements.end()) {
    sqlite3_reset(found->second);
    sqlite3_clear_bindings(found->second);
    return Statement(found->second);
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection_->handle, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return sqlite_error(connection_->handle, code);
  if (statement == nullptr) return make_error(ErrorCode::internal, "an SQL statement is empty");
  statements.emplace(std::string(sql), statement);
  return Statement(statement);
}

Result<void> Database::execute(std::string_view sql) {
  const std::string terminated(sql);
  const int code = sqlite3_exec(connection_->handle, terminated.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_error(connection_->handle, code);
  return {};
}

std::int64_t Database::last_insert_rowid() const {
  return sqlite3_last_insert_rowid(connection_->handle);
}

int Database::changes() const { return sqlite3_changes(connection_->handle); }

const FilePlace& Database::place() const { return connection_->place; }

int Database::schema_version() const { return connection_->schema_version; }

}  // namespace tars::store
