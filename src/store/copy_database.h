// A copy of a database that others may be writing at the same time.
#pragma once

#include <filesystem>

#include "base/error.h"

namespace tars::store {

// Copies `from` (which must exist) as it stood at one moment to `to` (which must not), by SQLite's
// online backup: readers and writers of `from`, in other processes too, go on. The copy is one file
// without a write-ahead log, mode 0600, checked and on the disk before this returns. Answers its
// schema version. store_unavailable with SQLite's text, naming `to` where that cannot be written
// and `from` otherwise; nothing is left at `to` then.
Result<int> copy_database(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace tars::store
