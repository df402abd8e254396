// Whose the data folder is: root must not leave files in it that the service cannot read, and
// others must not write into it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"

namespace tars::app {

// config_error, with the command that works, when root is about to write into a folder that belongs
// to somebody else. A folder that is missing is nobody's.
Result<void> check_owner(const std::filesystem::path& folder);

// A sentence for the log at start, with the fix, when others than the owner may write into the data
// folder: what they put there is the server's next secret or state. Nullopt for what is no folder.
std::optional<std::string> open_folder_warning(const std::filesystem::path& folder);

}  // namespace tars::app
