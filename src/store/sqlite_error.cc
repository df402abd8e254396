#include "store/sqlite_error.h"

#include <sqlite3.h>

#include <cerrno>

namespace tars::store {

namespace {

struct Advice {
  const char* cause;
  const char* fix;
};

Advice advise(int code, int system_error) {
  // A quota or a file size limit arrives as a failed write, not as a full disk.
  if (code == SQLITE_IOERR_WRITE) {
    return {"the database cannot be written",
            "check the disk, its quota and the limit on file sizes"};
  }
  const Advice full{"the disk is full", "free some space on it"};
  // Of the file beside the log SQLite says only that it could not be made longer.
  if (code == SQLITE_IOERR_SHMSIZE) return full;
  switch (code & 0xff) {
    case SQLITE_FULL: return full;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return {"the database is read-only", "make the file and its folder writable"};
    case SQLITE_CANTOPEN:
      if (system_error == EACCES || system_error == EPERM) {
        return {"this user may not open the database",
                "give what is in the folder to its user (sudo chown -R)"};
      }
      if (system_error == EMFILE || system_error == ENFILE) {
        return {"there is no descriptor left for the database",
                "raise the limit on open files (ulimit -n)"};
      }
      return {"the database cannot be opened",
              "check that its folder exists and is writable, or set TARS_DATA_DIR"};
    case SQLITE_CORRUPT:
      return {"the database is damaged", "stop the server and restore the file from a backup"};
    case SQLITE_NOTADB:
      return {"the file is not a database", "move it away or restore it from a backup"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {"the database is in use by another program", "end that program"};
    case SQLITE_IOERR: return {"the database cannot be read or written", "check the disk"};
    case SQLITE_NOMEM: return {"there is no memory left for the database", "free some memory"};
    case SQLITE_CONSTRAINT:
      return {"the database refused a row", "report this as a fault of the program"};
    default: return {"the database failed", "report this as a fault of the program"};
  }
}

}  // namespace

Error sqlite_error(sqlite3* handle, int code, std::string path) {
  const int system_error = handle != nullptr ? sqlite3_system_errno(handle) : 0;
  const Advice advice = advise(code, system_error);
  if (path.empty() && handle != nullptr) {
    if (const char* name = sqlite3_db_filename(handle, "main")) path = name;
  }
  if (path.empty()) path = ":memory:";
  const bool current =
      handle != nullptr && (sqlite3_extended_errcode(handle) & 0xff) == (code & 0xff);
  const char* text = current ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  // No state of the disk: the same will fail again.
  const bool is_ours = (code & 0xff) == SQLITE_CONSTRAINT;
  return make_error(is_ours ? ErrorCode::internal : ErrorCode::store_unavailable,
                    std::string(advice.cause) + ": " + path + " (" + text + "); " + advice.fix);
}

}  // namespace tars::store
