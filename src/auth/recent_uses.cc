#include "auth/recent_uses.h"

namespace tars::auth {

bool RecentUses::is_due(std::string_view family, SteadyTime now) {
  Shard& shard = shards_[StringHash{}(family) % kShards];
  std::lock_guard lock(shard.mutex);
  if (auto found = shard.noted.find(family); found != shard.noted.end()) {
    if (now - found->second < interval_) return false;
    found->second = now;
    return true;
  }
  if (shard.noted.size() >= per_shard_) {
    // A sweep that frees nothing is not repeated for every call of the same interval.
    if (now - shard.swept < interval_ / 4) return false;
    shard.swept = now;
    std::erase_if(shard.noted, [&](const auto& entry) { return now - entry.second >= interval_; });
    if (shard.noted.size() >= per_shard_) return false;
  }
  shard.noted.emplace(std::string(family), now);
  return true;
}

}  // namespace tars::auth
