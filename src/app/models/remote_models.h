// What models another server has.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"
#include "llm/remote/dialect.h"
#include "llm/remote/options.h"

namespace tars::app {

// Asks the hosts in turn, and names what each lists once; blocks for at most a few seconds each
// (options.connect_timeout). backend_unavailable when none answers, with the last one's reason.
Result<std::vector<std::string>> remote_models(const llm::RemoteOptions& options,
                                               const llm::Dialect& dialect);

}  // namespace tars::app
