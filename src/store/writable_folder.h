// Whether a folder takes new files, without making one, and what to say of those in it.
#pragma once

#include <filesystem>
#include <system_error>

#include "base/error.h"

namespace tars::store {

// No error when `folder`, or the nearest of its parents that exists, is a folder in which this
// process may make files; else why not. Changes nothing, so that a disk that is full or a limit on
// files is not seen. Any thread.
std::error_code check_writable_folder(const std::filesystem::path& folder);

// config_error for a file of the data folder that cannot be opened (errno `error`) although the
// folder takes new ones: it is somebody else's, such as root's.
Error unusable_file(const std::filesystem::path& file, int error);

}  // namespace tars::store
