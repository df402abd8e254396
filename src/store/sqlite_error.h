// SQLite's result codes as one line that a person can act on.
#pragma once

#include <string>

#include "base/error.h"

struct sqlite3;

namespace tars::store {

// store_unavailable (internal for a row that breaks a constraint) with the cause (disk full,
// read-only, damaged, no database, busy …), SQLite's own text, the file and what to do. `path` is
// only needed where `handle` does not know it yet.
Error sqlite_error(sqlite3* handle, int code, std::string path = {});

}  // namespace tars::store
