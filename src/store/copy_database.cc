#include "store/copy_database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>

#include "base/descriptor.h"
#include "store/sqlite_error.h"

namespace tars::store {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

struct Closer {
  void operator()(sqlite3* handle) const { sqlite3_close(handle); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Handle = std::unique_ptr<sqlite3, Closer>;
using Query = std::unique_ptr<sqlite3_stmt, Closer>;

Result<Handle> open(const std::filesystem::path& path) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Handle handle(raw);
  if (code != SQLITE_OK) return sqlite_error(raw, code, path.string());
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  return handle;
}

// The first column of the first row.
Result<std::string> ask(sqlite3* handle, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v2(handle, sql, -1, &raw, nullptr);
  const Query query(raw);
  if (code == SQLITE_OK) code = sqlite3_step(raw);
  if (code != SQLITE_ROW && code != SQLITE_DONE) return sqlite_error(handle, code);
  const unsigned char* text = code == SQLITE_ROW ? sqlite3_column_text(raw, 0) : nullptr;
  return std::string(text != nullptr ? reinterpret_cast<const char*>(text) : "");
}

// Whose fault a step's code is. SQLite does not say, but of the two only the copy is written.
bool is_of_writing(int code) {
  switch (code) {
    case SQLITE_IOERR_WRITE:
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
    case SQLITE_IOERR_TRUNCATE:
    case SQLITE_IOERR_DELETE: return true;
    default: return (code & 0xff) == SQLITE_FULL || (code & 0xff) == SQLITE_READONLY;
  }
}

// All pages in one step: one read transaction, so that no writer makes it begin again.
Result<void> copy_pages(sqlite3* from, sqlite3* to) {
  sqlite3_backup* backup = sqlite3_backup_init(to, "main", from, "main");
  if (backup == nullptr) return sqlite_error(to, sqlite3_extended_errcode(to));
  int code = SQLITE_OK;
  for (int tries = 0; tries < 50; ++tries) {
    code = sqlite3_backup_step(backup, -1);
    if (code != SQLITE_BUSY && code != SQLITE_LOCKED) break;
    sqlite3_sleep(100);
  }
  const int finished = sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE) return sqlite_error(is_of_writing(code) ? to : from, code);
  if (finished != SQLITE_OK) return sqlite_error(to, finished);
  return {};
}

Result<int> copy_into(const std::filesystem::path& from, const std::filesystem::path& to) {
  auto source = open(from);
  if (!source) return source.error();
  auto target = open(to);
  if (!target) return target.error();
  // It comes with the original's write-ahead log switched on, whose shared memory network and
  // shared folders may not offer. Nobody else has the copy, so that it needs none.
  auto locking = ask(target->get(), "PRAGMA locking_mode=EXCLUSIVE");
  if (!locking) return locking.error();
  if (auto copied = copy_pages(source->get(), target->get()); !copied) return copied.error();
  if (auto mode = ask(target->get(), "PRAGMA journal_mode=DELETE"); !mode) return mode.error();
  auto sound = ask(target->get(), "PRAGMA quick_check(1)");
  if (!sound) return sound.error();
  if (*sound != "ok") {  // a finding, below a line that names the schema
    return make_error(ErrorCode::store_unavailable, from.string() + " is damaged (" +
                                                        sound->substr(sound->rfind('\n') + 1) +
                                                        "): restore an earlier backup");
  }
  auto version = ask(target->get(), "PRAGMA user_version");
  if (!version) return version.error();
  return std::stoi(*version);
}

}  // namespace

Result<int> copy_database(const std::filesystem::path& from, const std::filesystem::path& to) {
  const Descriptor file(::open(to.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
  if (!file.is_open()) {
    return make_error(ErrorCode::store_unavailable, to.string() + " cannot be written: " +
                                                        std::generic_category().message(errno));
  }
  Result<int> version = copy_into(from, to);
  if (version && ::fsync(file.get()) != 0) {
    version = make_error(ErrorCode::store_unavailable, to.string() + " cannot be written: " +
                                                           std::generic_category().message(errno) +
                                                           "; check the disk");
  }
  if (!version) {
    std::error_code ignored;
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
      std::filesystem::remove(to.string() + suffix, ignored);
    }
  }
  return version;
}

}  // namespace tars::store
