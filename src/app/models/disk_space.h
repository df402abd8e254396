// Whether a disk has room for what is about to be written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/error.h"

namespace tars::app {

// For people: "12 MB". Whole ones, of a million bytes.
std::string megabytes(std::uint64_t bytes);

// io_error, with what is missing and the fix, where the disk that `file` lies on, or will, has
// fewer free bytes than these. Where the system does not say how many there are: no error.
Result<void> check_disk_space(const std::filesystem::path& file, std::uint64_t bytes);

}  // namespace tars::app
