// Base64url as JWS has it (RFC 7515 section 2): no padding, and only the one canonical spelling
// (RFC 4648 section 3.5).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tars::auth {

// The bytes, or nullopt for a foreign character, padding, an impossible length, or unused bits that
// are not zero: two spellings of one token would be two tokens to whoever compares them as text.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace tars::auth
