// Puts a backup into a data folder.
#pragma once

#include <filesystem>
#include <string>

#include "app/backup/manifest.h"
#include "base/error.h"

namespace tars::app {

struct Restored {
  Manifest manifest;
  std::string dropped;  // "chat.db, jwt_secret": what was there and is not in the backup
};

// Replaces the state in `data_dir` by the backup's; weights in `models` stay. First the backup is
// checked as a whole. config_error when a server holds the folder, when there is something in it
// and `force` is not set, or when the backup is not as its manifest says; then nothing has changed.
// A crash or an io_error in between leaves the old state or, once everything new is on the disk, a
// restore that the next start finishes.
Result<Restored> restore(const std::filesystem::path& backup, const std::filesystem::path& data_dir,
                         bool force);

// Finishes a restore that was cut short after its point of no return, and removes the copy of one
// that was cut short before it; does nothing when there is none, and logs a line when it finished
// one. For whoever has just taken the folder's lock, before anything is opened.
Result<void> finish_restore(const std::filesystem::path& data_dir);
// Whether there is one: until it is finished the folder holds a mixture of old and new.
bool restore_is_pending(const std::filesystem::path& data_dir);

}  // namespace tars::app
