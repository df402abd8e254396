// Who gets a first pair of tokens.
#pragma once

#include "auth/options.h"
#include "auth/token_service.h"
#include "base/error.h"

namespace tars::auth {

// invalid_request with one entry per bad field.
Result<void> check_names(const EnrollRequest& request);

// What check_names() says, or forbidden where enrolment is closed or its key
// is missing or wrong. The key is compared in a time that tells nothing about it.
Result<void> admit(const EnrollRequest& request, const Options& options);

}  // namespace tars::auth
