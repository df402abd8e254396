// SHA-256 (FIPS 180-4), of text and of files of any size.
#pragma once

#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tars {

using Sha256 = std::array<unsigned char, 32>;

// Throws when OpenSSL has no SHA-256.
Sha256 sha256(std::string_view data);
// The same as 64 lower-case hex digits: how stores refer to a secret without holding it.
std::string sha256_hex(std::string_view data);

// Of the file's bytes, as hex; reads it in pieces. io_error with errno's text when it cannot be
// read.
Result<std::string> sha256_file(const std::filesystem::path& path);

// Lower-case hex.
std::string to_hex(std::span<const unsigned char> bytes);

}  // namespace tars
