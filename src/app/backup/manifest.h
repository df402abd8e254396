// The list of what a backup holds, manifest.json in its folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace tars::app {

inline constexpr const char* kManifestFile = "manifest.json";

struct BackupFile {
  std::string name;  // of the data folder, no path
  std::uint64_t bytes = 0;
  std::string sha256;
  int schema = 0;  // of a database; 0 = it is none
};

struct Manifest {
  std::string program;  // the version of T.A.R.S. that made it
  WallTime created_at{};
  std::vector<BackupFile> files;
};

// Files of the data folder that hold its state: the program's own databases with what belongs to
// them, and secrets. Other databases there are the operator's, a copy from before perhaps.
bool is_state_file(std::string_view name);
// Those that a backup is made of: the program's own databases and secrets.
bool is_backup_file(std::string_view name);
// The database beside which SQLite keeps a file of this name: x.db of x.db-wal; empty = none.
std::string_view database_of(std::string_view name);

std::string format_manifest(const Manifest& manifest);
// config_error that says what is wrong: no manifest, another format, a name that a backup of no
// version holds.
Result<Manifest> parse_manifest(std::string_view text);

// The manifest in `folder`; config_error when there is none.
Result<Manifest> read_manifest(const std::filesystem::path& folder);
// Every file is there, with its length and hash, and no database is newer than this program.
// config_error that names the first that is not so.
Result<void> check_backup(const std::filesystem::path& folder, const Manifest& manifest);

}  // namespace tars::app
