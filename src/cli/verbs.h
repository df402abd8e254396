// What each verb does.
#pragma once

#include <ostream>

#include "base/error.h"
#include "cli/command_line.h"

namespace tars::cli {

// Does it and returns when it is done; `serve` returns after the drain. Text for people and for
// redirection goes to `out`, warnings to `err`. An error is one line that names the option and the
// fix.
Result<void> execute(const Command& command, std::ostream& out, std::ostream& err);

}  // namespace tars::cli
