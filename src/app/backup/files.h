// Files that are on the disk once these have returned.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/error.h"

namespace tars::app {

// All: io_error with the path and errno's text.

// A new folder, mode 0700; one that exists is an error.
Result<void> make_private_folder(const std::filesystem::path& folder);
// A new file, mode 0600, with these bytes.
Result<void> write_private_file(const std::filesystem::path& path, std::string_view text);
// The same with the bytes of another file.
Result<void> copy_private_file(const std::filesystem::path& from, const std::filesystem::path& to);
// Makes what was created, renamed or removed in the folder last.
Result<void> sync_folder(const std::filesystem::path& folder);
Result<void> rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace tars::app
