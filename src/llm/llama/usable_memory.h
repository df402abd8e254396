// Whether the model has the memory of this machine that it will need.
#pragma once

#include <cstdint>
#include <filesystem>

#include "llm/options.h"

namespace tars::llm {

// Bytes: what the machine has free, and less where a cgroup of this process is limited to less
// (version 2, or 1). The largest number when nothing tells. `root` stands for "/" in tests.
std::uint64_t usable_memory(const std::filesystem::path& root = "/");

// Says in one log line that weights and context of all slots need more than `usable` bytes, for a
// model that the CPU computes alone. The context's memory is taken as answers grow, so that such a
// server starts, and is killed later without a word of its own. `context` in tokens for each slot.
void warn_of_little_memory(const LlamaOptions& options, int context, std::uint64_t usable);

}  // namespace tars::llm
