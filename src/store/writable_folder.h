// Whether a folder takes new files, without making one.
#pragma once

#include <filesystem>
#include <system_error>

namespace tars::store {

// No error when `folder`, or the nearest of its parents that exists, is a folder in which this
// process may make files; else why not. Changes nothing, so that a disk that is full or a limit on
// files is not seen. Any thread.
std::error_code check_writable_folder(const std::filesystem::path& folder);

}  // namespace tars::store
