// What no longer counts although its signature and times are good.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/string_hash.h"

namespace tars::auth {

// The revoked families and the revoked or spent tokens, in memory: what the database holds, so that
// verify() never waits for the disk. Thread-safe. Grows with the revocations of the last lifetime
// only: whoever owns it prunes it together with the database.
class DeadTokens {
 public:
  // Times are seconds since 1970, the latest at which the token (or any token of the family) is
  // good.
  void add_family(std::string_view family, std::int64_t expires_at) {
    add(families_, family, expires_at);
  }
  void add_token(std::string_view token_id, std::int64_t expires_at) {
    add(tokens_, token_id, expires_at);
  }
  bool contains(std::string_view family, std::string_view token_id) const;

  // Forgets what expires before `cutoff`. From then on whoever asks must treat every token that
  // expires before pruned_until() as expired, whatever the clock says: it may have been set back.
  void prune(std::int64_t cutoff);
  std::int64_t pruned_until() const { return pruned_until_.load(std::memory_order_acquire); }
  std::size_t size() const;

 private:
  static constexpr std::size_t kShards = 16;
  using Map = std::unordered_map<std::string, std::int64_t, StringHash, std::equal_to<>>;
  struct Shard {
    mutable std::shared_mutex mutex;
    Map ids;
  };
  using Shards = std::array<Shard, kShards>;

  static void add(Shards& shards, std::string_view id, std::int64_t expires_at);
  static bool has(const Shards& shards, std::string_view id);

  Shards families_;
  Shards tokens_;
  std::atomic<std::int64_t> pruned_until_{0};
};

}  // namespace tars::auth
