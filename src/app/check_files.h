// The files that options name, looked at before a start needs them.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "config/settings.h"

namespace tars::app {

// config_error naming the option and the fix: TARS_DATA_DIR and LOG_FILE, which must be writable,
// MODEL_PATH where it is set, TLS_CERT_PATH and TLS_KEY_PATH where HTTPS is served,
// UPSTREAM_CA_FILE. Of the model only that it is a file. Makes and changes nothing.
Result<void> check_files(const config::Settings& settings);

// The state in the data folder: that this user may open it, that nobody else reads the secrets, and
// that secrets and databases can be ones. A start finds out while it opens them; it opens with an
// auth.db that is damaged, and refuses every token. Makes and changes nothing, also beside a
// server.
Result<void> check_state(const config::Settings& settings);

// What of them can be used and is still worth a line in the log: a certificate that is not valid
// yet, a key that every user may read. None where check_files() finds an error.
std::vector<std::string> file_warnings(const config::Settings& settings);

// Of the model that MODEL_PATH names, also that it is one that the server can chat with; a start
// finds out while it loads. config_error naming MODEL_PATH.
Result<void> check_model(const config::Settings& settings);

// TARS_HOST is an address or a name that this machine knows, which a start finds out when it
// listens. config_error naming TARS_HOST. A name may be asked of the network; blocks meanwhile.
Result<void> check_address(const config::Settings& settings);

}  // namespace tars::app
