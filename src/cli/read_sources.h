// Collects what the options are read from.
#pragma once

#include "base/error.h"
#include "cli/command_line.h"
#include "config/values.h"

namespace tars::cli {

// `.env` of the working folder if it is there, or the file of --env-file, which must be; the
// environment of the process; the command's flags. config_error when a file cannot be read.
Result<config::Sources> read_sources(const Command& command);

}  // namespace tars::cli
