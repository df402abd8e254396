#include "app/backup/backup.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

#include "app/backup/files.h"
#include "app/backup/partial_folder.h"
#include "app/backup/restore.h"
#include "base/sha256.h"
#include "store/copy_database.h"
#include "telemetry/build_info.h"

namespace tars::app {
namespace {

namespace fs = std::filesystem;

Error is_there(const fs::path& target) {
  return make_error(ErrorCode::config_error,
                    target.string() + " exists already: name a folder that does not");
}

// Without one of the databases, which a server makes whenever it starts, this is the wrong folder
// or a database was moved away under a server: a backup of the rest would pass for a whole one.
Result<std::vector<std::string>> state_of(const fs::path& data_dir) {
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(data_dir, error)) {
    const std::string name = entry.path().filename().string();
    if (is_backup_file(name)) names.push_back(name);
  }
  if (error || names.empty()) {
    return make_error(ErrorCode::config_error,
                      data_dir.string() + " holds nothing to back up" +
                          (error ? " (" + error.message() + ")" : std::string()) +
                          ": set TARS_DATA_DIR to the server's folder");
  }
  for (const std::string database : {"auth.db", "chat.db"}) {
    if (std::ranges::find(names, database) != names.end()) continue;
    return make_error(ErrorCode::config_error,
                      data_dir.string() + " has no " + database +
                          ", which every start of a server makes: set TARS_DATA_DIR to the "
                          "server's folder, or put the file back (a new start makes an empty one)");
  }
  std::ranges::sort(names);
  return names;
}

Result<BackupFile> copy(const fs::path& data_dir, const fs::path& to, const std::string& name) {
  BackupFile file;
  file.name = name;
  if (name.ends_with(".db")) {
    const Result<int> schema = store::copy_database(data_dir / name, to / name);
    if (!schema) return schema.error();
    file.schema = *schema;
  } else if (auto copied = copy_private_file(data_dir / name, to / name); !copied) {
    return copied.error();
  }
  Result<std::string> hash = sha256_file(to / name);
  if (!hash) return hash.error();
  file.sha256 = *std::move(hash);
  file.bytes = fs::file_size(to / name);
  return file;
}

Result<Manifest> fill(const fs::path& data_dir, const fs::path& to,
                      const std::vector<std::string>& names, WallTime now) {
  Manifest manifest{.program = std::string(telemetry::version()), .created_at = now, .files = {}};
  for (const std::string& name : names) {
    Result<BackupFile> file = copy(data_dir, to, name);
    if (!file) return file.error();
    manifest.files.push_back(*std::move(file));
  }
  auto written = write_private_file(to / kManifestFile, format_manifest(manifest));
  if (written) written = sync_folder(to);
  if (!written) return written.error();
  return manifest;
}

}  // namespace

Result<Manifest> back_up(const fs::path& data_dir, const fs::path& to, const Clock& clock) {
  std::error_code error;
  // A trailing slash would make the parent the folder itself.
  const fs::path target = to.has_filename() ? to : to.parent_path();
  if (fs::exists(target, error)) return is_there(target);
  if (restore_is_pending(data_dir)) {
    return make_error(ErrorCode::config_error,
                      data_dir.string() +
                          " is in the middle of a restore, which the next start of the server "
                          "finishes: back up then");
  }
  const Result<std::vector<std::string>> names = state_of(data_dir);
  if (!names) return names.error();
  const Result<PartialFolder> partial = PartialFolder::make(target);
  if (!partial) return partial.error();
  Result<Manifest> manifest = fill(data_dir, partial->path(), *names, clock.wall());
  if (manifest) {
    const Result<void> renamed = rename_durably(partial->path(), target);
    // Another backup to that name was faster.
    if (!renamed) manifest = fs::exists(target, error) ? is_there(target) : renamed.error();
  }
  if (!manifest) fs::remove_all(partial->path(), error);
  return manifest;
}

}  // namespace tars::app
