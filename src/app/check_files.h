// The files that options name, looked at before a start needs them.
#pragma once

#include "base/error.h"
#include "config/settings.h"

namespace tars::app {

// config_error naming the option and the fix: MODEL_PATH where it is set, TLS_CERT_PATH and
// TLS_KEY_PATH where HTTPS is served, UPSTREAM_CA_FILE. Of the model only that it is a file.
Result<void> check_files(const config::Settings& settings);

}  // namespace tars::app
