// Root must not leave files in a service's folder that the service cannot read.
#pragma once

#include <filesystem>

#include "base/error.h"

namespace tars::app {

// config_error, with the command that works, when root is about to write into a folder that belongs
// to somebody else. A folder that is missing is nobody's.
Result<void> check_owner(const std::filesystem::path& folder);

}  // namespace tars::app
