// Which families were noted as used a moment ago.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/string_hash.h"

namespace tars::auth {

// Turns many uses of a family into at most one note per `interval`. Thread-safe. Holds at most
// `capacity` families; with more of them in one interval the rest is not noted, for a list of
// devices may be late but must not cost unbounded memory.
class RecentUses {
 public:
  RecentUses(std::chrono::seconds interval, std::size_t capacity)
      : interval_(interval), per_shard_(capacity / kShards + 1) {}

  // true: note it now.
  bool is_due(std::string_view family, SteadyTime now);

 private:
  static constexpr std::size_t kShards = 16;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, SteadyTime, StringHash, std::equal_to<>> noted;
    SteadyTime swept{};
  };

  const std::chrono::seconds interval_;
  const std::size_t per_shard_;
  std::array<Shard, kShards> shards_;
};

}  // namespace tars::auth
