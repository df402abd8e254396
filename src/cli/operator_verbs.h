// The verbs of whoever runs the server: what they print.
#pragma once

#include <ostream>

#include "base/error.h"
#include "cli/command_line.h"
#include "config/settings.h"

namespace tars::cli {

// Each does its verb (docs/guides/operations.md) and prints to `out`, for people or as JSON.
// Progress and notes go to `err`. Errors are one line with the cause and the fix.
Result<void> make_token(const Command& command, const config::Settings& settings, std::ostream& out,
                        std::ostream& err);
Result<void> list_devices(const Command& command, const config::Settings& settings,
                          std::ostream& out);
Result<void> revoke_device(const Command& command, const config::Settings& settings,
                           std::ostream& out);
Result<void> show_models(const Command& command, const config::Settings& settings,
                         std::ostream& out);
Result<void> pull(const Command& command, const config::Settings& settings, std::ostream& out,
                  std::ostream& err);
Result<void> back_up(const Command& command, const config::Settings& settings, std::ostream& out);
Result<void> restore(const Command& command, const config::Settings& settings, std::ostream& out);

}  // namespace tars::cli
