// Opaque identifiers, unique across restarts and nodes.
#pragma once

#include <string>
#include <string_view>

namespace tars {

// prefix + "_" + 26 characters of Crockford base32 that sort by creation time (as in ULID: 48 bits
// of milliseconds, 80 random bits from the system's generator). Thread-safe.
std::string make_id(std::string_view prefix);
// Whether `text` has the form of an id with that prefix.
bool is_id(std::string_view text, std::string_view prefix);

// `bytes` random bytes from OpenSSL's generator as lower-case hex, for secrets. Throws when the
// generator fails.
std::string random_hex(std::size_t bytes);

}  // namespace tars
