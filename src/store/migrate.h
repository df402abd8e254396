// Brings a database to the schema that this program knows.
#pragma once

#include <span>
#include <string>

#include "store/database.h"

namespace tars::store {

// Runs what `PRAGMA user_version` says is missing, each migration in a transaction of its own, so
// that a crash leaves a whole version. Answers the version reached; config_error when the file was
// written by a newer program (that must stop the start), internal when the versions are not 1, 2, 3
// …
Result<int> migrate(Database& database, const std::string& path,
                    std::span<const Migration> migrations);

}  // namespace tars::store
