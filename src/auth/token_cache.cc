#include "auth/token_cache.h"

namespace tars::auth {

std::optional<SignedClaims> TokenCache::find(const Digest& digest) {
  Shard& s = shard(digest);
  std::lock_guard lock(s.mutex);
  if (auto found = s.young.find(digest); found != s.young.end()) return found->second;
  auto found = s.old.find(digest);
  if (found == s.old.end()) return std::nullopt;
  SignedClaims claims = std::move(found->second);
  s.old.erase(found);
  insert(s, digest, claims);
  return claims;
}

void TokenCache::put(const Digest& digest, const SignedClaims& claims) {
  Shard& s = shard(digest);
  std::lock_guard lock(s.mutex);
  insert(s, digest, claims);
}

void TokenCache::insert(Shard& shard, const Digest& digest, SignedClaims claims) {
  if (shard.young.size() >= per_shard_) {
    shard.old = std::move(shard.young);
    shard.young = Generation();
  }
  shard.young.insert_or_assign(digest, std::move(claims));
}

std::size_t TokenCache::size() const {
  std::size_t total = 0;
  for (const Shard& s : shards_) {
    std::lock_guard lock(s.mutex);
    total += s.young.size() + s.old.size();
  }
  return total;
}

}  // namespace tars::auth
