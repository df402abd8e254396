#include "llm/llama/usable_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>

#include "llm/llama/layer_sizes.h"
#include "telemetry/log.h"

namespace tars::llm {
namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

// "max", as version 2 says it, and a file that is not there are no limit.
std::uint64_t read_limit(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::uint64_t bytes = 0;
  return in >> bytes ? bytes : kUnlimited;
}

// The least of the cgroup's own limit and of those of the ones around it. In a container the path
// may be one of the host's, and not be there: its own limit then stands at the top.
std::uint64_t least_limit(const std::filesystem::path& top, std::string_view group,
                          const char* file) {
  std::uint64_t least = read_limit(top / file);
  std::filesystem::path at = top;
  for (const auto& part : std::filesystem::path(group).relative_path()) {
    at /= part;
    least = std::min(least, read_limit(at / file));
  }
  return least;
}

// Lines such as "0::/system.slice/tars.service" (version 2) and "9:memory:/docker/1f" (version 1).
std::uint64_t cgroup_limit(const std::filesystem::path& root) {
  std::uint64_t least = kUnlimited;
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const auto all = std::string_view(line);
    const auto controllers = all.substr(first + 1, second - first - 1);
    const auto group = all.substr(second + 1);
    if (controllers.empty()) {
      least = std::min(least, least_limit(root / "sys/fs/cgroup", group, "memory.max"));
    } else if (controllers == "memory") {
      least = std::min(least,
                       least_limit(root / "sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
    }
  }
  return least;
}

std::uint64_t free_memory(const std::filesystem::path& root) {
  std::ifstream in(root / "proc/meminfo");
  for (std::string line; std::getline(in, line);) {
    constexpr std::string_view kName = "MemAvailable:";
    if (!line.starts_with(kName)) continue;
    const auto digits = line.find_first_not_of(' ', kName.size());
    std::uint64_t kib = 0;
    if (digits == std::string::npos) break;
    std::from_chars(line.data() + digits, line.data() + line.size(), kib);
    return kib << 10;
  }
  return kUnlimited;
}

}  // namespace

std::uint64_t usable_memory(const std::filesystem::path& root) {
  return std::min(cgroup_limit(root), free_memory(root));
}

void warn_of_little_memory(const LlamaOptions& options, int context, std::uint64_t usable) {
  const auto tokens =
      static_cast<std::uint64_t>(context) * static_cast<std::uint64_t>(options.slots);
  const LayerSizes sizes = read_layer_sizes(options.model_path, tokens);
  const std::uint64_t all =
      std::accumulate(sizes.bytes.begin(), sizes.bytes.end(), std::uint64_t{0});
  if (all <= usable) return;
  telemetry::log(telemetry::LogLevel::warning,
                 "the model needs more memory than there is: once answers fill it, the system may "
                 "kill the server; lower MODEL_SLOTS or MODEL_CONTEXT_LENGTH, or take a smaller "
                 "model",
                 {{"weights_mib", (all - sizes.context) >> 20},
                  {"context_mib", sizes.context >> 20},
                  {"usable_mib", usable >> 20},
                  {"MODEL_SLOTS", options.slots},
                  {"MODEL_CONTEXT_LENGTH", context}});
}

}  // namespace tars::llm
