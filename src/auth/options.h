// What an operator can set about tokens.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace tars::auth {

enum class Enrollment { open, key, closed };

struct Options {
  std::string secret_key;  // at least 32 bytes
  std::optional<std::string> previous_secret_key;
  std::optional<WallTime> previous_valid_until;  // the previous key is refused from then on
  std::chrono::seconds access_lifetime{std::chrono::hours{24}};
  std::chrono::seconds refresh_lifetime{std::chrono::days{7}};
  std::chrono::seconds refresh_grace{0};  // a spent refresh token is good again this long
  std::chrono::seconds leeway{30};        // for exp and nbf
  Enrollment enrollment = Enrollment::open;
  std::string enrollment_key;  // when enrollment is `key`
  std::vector<std::string> admin_clients;
  std::string issuer = "tars";
  std::string audience = "tars";
};

}  // namespace tars::auth
