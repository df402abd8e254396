#include "auth/dead_tokens.h"

#include <algorithm>
#include <mutex>

namespace tars::auth {

bool DeadTokens::contains(std::string_view family, std::string_view token_id) const {
  return has(families_, family) || has(tokens_, token_id);
}

void DeadTokens::add(Shards& shards, std::string_view id, std::int64_t expires_at) {
  Shard& shard = shards[StringHash{}(id) % kShards];
  std::unique_lock lock(shard.mutex);
  auto [entry, added] = shard.ids.try_emplace(std::string(id), expires_at);
  if (!added) entry->second = std::max(entry->second, expires_at);
}

bool DeadTokens::has(const Shards& shards, std::string_view id) {
  const Shard& shard = shards[StringHash{}(id) % kShards];
  std::shared_lock lock(shard.mutex);
  return shard.ids.contains(id);
}

void DeadTokens::prune(std::int64_t cutoff) {
  // The mark first: nobody may find an id gone that the mark does not cover yet.
  if (cutoff > pruned_until_.load()) pruned_until_.store(cutoff, std::memory_order_release);
  for (Shards* shards : {&families_, &tokens_}) {
    for (Shard& shard : *shards) {
      std::unique_lock lock(shard.mutex);
      std::erase_if(shard.ids, [&](const auto& entry) { return entry.second < cutoff; });
    }
  }
}

std::size_t DeadTokens::size() const {
  std::size_t total = 0;
  for (const Shards* shards : {&families_, &tokens_}) {
    for (const Shard& shard : *shards) {
      std::shared_lock lock(shard.mutex);
      total += shard.ids.size();
    }
  }
  return total;
}

}  // namespace tars::auth
