// The secrets that the program makes itself and keeps in its data folder.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "config/settings.h"

namespace tars::app {

inline constexpr const char* kSecretFile = "jwt_secret";
inline constexpr const char* kEnrollmentKeyFile = "enrollment_key";

// Fills in the key that signs tokens where JWT_SECRET_KEY sets none: the kept one, or a new one.
Result<void> open_secret_key(config::Settings& settings);
// Likewise the enrolment key where one is needed. Answers it when it was made now: to be shown
// once.
Result<std::optional<std::string>> open_enrollment_key(config::Settings& settings);

// Of both, whether those that are there would be taken. Makes and changes nothing.
Result<void> check_secrets(const config::Settings& settings);

}  // namespace tars::app
