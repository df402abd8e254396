// How a verb gets an answer, whether a server runs or not.
#pragma once

#include <filesystem>

#include "app/control/control_message.h"
#include "base/error.h"
#include "config/settings.h"

namespace tars::app {

// Who gave an answer: a server, or this process, on a data folder that servers have used or on one
// that none has used yet.
enum class Holder { server, nobody, nobody_yet };

struct HolderAnswer {
  ControlAnswer answer;
  Holder holder = Holder::server;
};

// Asks the server that holds the data folder. When none does, takes the folder's lock and does it
// here, with the same code on the same files. A server that has just started or is about to end
// gets 5 s. config_error when the folder cannot be used; status is answered by a server only
// (not_found without one).
Result<HolderAnswer> ask_holder(const config::Settings& settings, const ControlRequest& request);

// The running server's answer, or not_found at once when none runs.
Result<ControlAnswer> ask_running(const std::filesystem::path& data_dir,
                                  const ControlRequest& request);

}  // namespace tars::app
