// The text of a small file that a person named.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tars {

// Up to `max_bytes` of it. io_error with the cause alone, such as "it is a folder". A pipe, as a
// shell's `<(command)` makes one, is read to its end; one with a name that nobody writes to is an
// error, because waiting for it would never end. Any thread.
Result<std::string> read_file(const std::filesystem::path& file, std::size_t max_bytes);

// What stands at `file` where that is no regular file: "a folder" or "no regular file"; "" where it
// is one, or nothing is there. A pipe could hang whoever opens it.
std::string_view other_than_file(const std::filesystem::path& file);

}  // namespace tars
