// Which weights the server loads.
#pragma once

#include <filesystem>

#include "base/error.h"
#include "config/settings.h"

namespace tars::app {

// MODEL_PATH as it stands, else the first of the default places that has a file. config_error
// naming MODEL_PATH and the fix when there is none.
Result<std::filesystem::path> find_model(const config::Settings& settings);

}  // namespace tars::app
