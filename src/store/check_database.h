// Whether a file can be a database, without opening it as one: that would make files beside it.
#pragma once

#include <filesystem>

#include "base/error.h"

namespace tars::store {

// Of the database and its log: that this user may read and write them, and that the first begins as
// SQLite's files do. One that is missing or empty is made at start. config_error, or what opening
// it would say. Also while another process works on it; in a process that does itself it would end
// SQLite's locks.
Result<void> check_database(const std::filesystem::path& path);

}  // namespace tars::store
