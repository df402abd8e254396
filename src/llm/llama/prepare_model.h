// Rewrites weights in the format that computes fastest here.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/error.h"

namespace tars::llm {

// Behind the name of what is being written. Of its own: an unfinished download of the same name has
// another, and goes on from what it finds there.
inline constexpr const char* kPreparing = ".preparing";

// Writes `in` to `out` with its weights as `type`: "q8_0" (the default weights: nothing is lost) or
// "q4_0". Takes seconds to minutes and all cores. The result appears whole or not at all; an
// existing `out` is replaced. The reasons for the default type and the figures are in
// docs/decisions/0003-weights-format.md. config_error on an unknown type, io_error when a file
// cannot be read or written.
Result<void> requantize(const std::filesystem::path& in, const std::filesystem::path& out,
                        std::string_view type);

}  // namespace tars::llm
