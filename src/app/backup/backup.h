// Copies the state of a data folder, also while a server works on it.
#pragma once

#include <filesystem>

#include "app/backup/manifest.h"
#include "base/clock.h"
#include "base/error.h"

namespace tars::app {

// Makes the folder `to` (which must not exist; mode 0700, files 0600) with a copy of each of the
// program's databases in `data_dir`, as it stood at one moment, the kept secrets, and the manifest.
// It appears under its name whole or not at all; what a killed backup to that name left is removed.
// Weights are not in it, nor databases that others put there. config_error when `data_dir` lacks
// one of the two databases or `to` exists; store_unavailable or io_error when a file cannot be read
// or written.
Result<Manifest> back_up(const std::filesystem::path& data_dir, const std::filesystem::path& to,
                         const Clock& clock);

}  // namespace tars::app
