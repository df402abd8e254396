// The hash of a file of any size.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"

namespace tars {

// SHA-256 (FIPS 180-4) of the file's bytes as 64 lower-case hex digits; reads it in pieces.
// io_error with errno's text when it cannot be read.
Result<std::string> sha256_file(const std::filesystem::path& path);

}  // namespace tars
