#include "app/backup/restore.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <system_error>

#include "app/backup/files.h"
#include "app/folder_owner.h"
#include "store/database.h"
#include "telemetry/log.h"

namespace tars::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStaged = "restore.staged";  // being copied; means nothing
constexpr const char* kReady = "restore.ready";    // whole; to be moved into place

Error failed(const fs::path& path, const std::error_code& error) {
  return make_error(ErrorCode::io_error, path.string() + ": " + error.message());
}

bool lists(const Manifest& manifest, std::string_view name) {
  return std::ranges::any_of(manifest.files,
                             [&](const BackupFile& file) { return file.name == name; });
}

// What may be there: no state, but weights, the lock and what an interrupted restore left.
bool is_no_state(const std::string& name) {
  return name == "tars.lock" || name == "control.sock" || name == "models" || name == kStaged;
}

// The databases and secrets in the folder that would go without another in their place.
std::string lost_by(const fs::path& folder, const Manifest& manifest) {
  std::error_code ignored;
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (is_backup_file(name) && !lists(manifest, name)) names.insert(name);
  }
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

Result<void> check_empty(const fs::path& folder, const std::string& lost) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (is_no_state(name)) continue;
    return make_error(ErrorCode::config_error,
                      folder.string() + " is not empty (it holds " + name +
                          "): restore into another folder, or replace its state with --force" +
                          (lost.empty() ? "" : ", which deletes what the backup has not: " + lost));
  }
  if (error) return failed(folder, error);
  return {};
}

Result<void> stage(const fs::path& backup, const Manifest& manifest, const fs::path& staged) {
  std::error_code error;
  fs::remove_all(staged, error);
  if (error) return failed(staged, error);
  if (auto made = make_private_folder(staged); !made) return made.error();
  for (const BackupFile& file : manifest.files) {
    if (auto copied = copy_private_file(backup / file.name, staged / file.name); !copied) {
      return copied.error();
    }
  }
  // Of the copies, so that the check holds for what will be used.
  if (auto good = check_backup(staged, manifest); !good) return good.error();
  auto written = write_private_file(staged / kManifestFile, format_manifest(manifest));
  return written ? sync_folder(staged) : written;
}

// State that is not the backup's, a write-ahead log above all, which would be applied to the
// database beside it.
Result<void> sweep(const fs::path& folder, const Manifest& manifest) {
  std::error_code error;
  std::vector<fs::path> gone;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const bool ours = is_state_file(name) || lists(manifest, database_of(name));
    if (ours && !lists(manifest, name)) gone.push_back(entry.path());
  }
  for (const fs::path& path : gone) {
    if (!error) fs::remove(path, error);
  }
  if (error) return failed(folder, error);
  return sync_folder(folder);
}

// What a killed restore was copying. Under the folder's lock nobody else is at it; a link, a file
// or another user's folder of that name is not ours. Should it stay, that harms nothing.
void remove_abandoned(const fs::path& staged) {
  struct stat status{};
  const bool ours = ::lstat(staged.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
                    status.st_uid == ::geteuid();
  std::error_code ignored;
  if (ours) fs::remove_all(staged, ignored);
}

Result<void> move_into_place(const fs::path& ready, const Manifest& manifest,
                             const fs::path& data_dir) {
  if (auto swept = sweep(data_dir, manifest); !swept) return swept;
  std::error_code error;
  for (const BackupFile& file : manifest.files) {
    // Those that are not there any more were moved before a crash.
    const bool waits = fs::exists(ready / file.name, error);
    if (waits) fs::rename(ready / file.name, data_dir / file.name, error);
    if (error) return failed(data_dir / file.name, error);
  }
  if (auto synced = sync_folder(data_dir); !synced) return synced;
  fs::remove(ready / kManifestFile, error);
  if (error) return failed(ready, error);
  return {};
}

// Whether there was something to move.
Result<bool> finish(const fs::path& data_dir) {
  const fs::path ready = data_dir / kReady;
  std::error_code error;
  const bool is_there = fs::exists(ready, error);
  // Without its manifest it was done: that goes last.
  const bool is_whole = is_there && fs::exists(ready / kManifestFile, error);
  // What cannot be looked at may be there: nothing of it is given up.
  if (error) return failed(ready, error);
  if (!is_there) return false;
  if (is_whole) {
    const Result<Manifest> manifest = read_manifest(ready);
    if (!manifest) {
      return make_error(manifest.error().code,
                        manifest.error().message +
                            "; it is of a restore that was cut short: move " + ready.string() +
                            " away, and restore again with --force");
    }
    if (auto moved = move_into_place(ready, *manifest, data_dir); !moved) {
      return make_error(moved.error().code,
                        moved.error().message + "; the restore of " + data_dir.string() +
                            " is half done: mend that, then the next start of the server or the "
                            "same restore with --force finishes it");
    }
  }
  fs::remove_all(ready, error);
  if (error) return failed(ready, error);
  if (auto synced = sync_folder(data_dir); !synced) return synced.error();
  return is_whole;
}

}  // namespace

bool restore_is_pending(const fs::path& data_dir) {
  std::error_code error;
  return fs::exists(data_dir / kReady / kManifestFile, error);
}

Result<void> finish_restore(const fs::path& data_dir) {
  remove_abandoned(data_dir / kStaged);
  const Result<bool> finished = finish(data_dir);
  if (!finished) return finished.error();
  if (*finished) {
    telemetry::log(telemetry::LogLevel::info, "a restore that was half done is finished",
                   {{"folder", data_dir.string()}});
  }
  return {};
}

Result<Restored> restore(const fs::path& backup, const fs::path& data_dir, bool force) {
  Result<Manifest> manifest = read_manifest(backup);
  if (!manifest) return manifest.error();
  if (auto good = check_backup(backup, *manifest); !good) return good.error();
  if (auto owner = check_owner(data_dir); !owner) return owner.error();
  const Result<store::FolderLock> lock =
      store::FolderLock::acquire(data_dir, store::FolderLock::kPatience);
  if (!lock) return lock.error();
  if (auto finished = finish_restore(data_dir); !finished) return finished.error();
  std::string lost = lost_by(data_dir, *manifest);
  if (!force) {
    if (auto empty = check_empty(data_dir, lost); !empty) return empty.error();
  }
  Result<void> done = stage(backup, *manifest, data_dir / kStaged);
  if (done) done = rename_durably(data_dir / kStaged, data_dir / kReady);
  if (done) {
    const Result<bool> finished = finish(data_dir);
    if (!finished) done = finished.error();
  }
  if (!done) {
    std::error_code ignored;
    fs::remove_all(data_dir / kStaged, ignored);
    return done.error();
  }
  return Restored{*std::move(manifest), std::move(lost)};
}

}  // namespace tars::app
