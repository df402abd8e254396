// Tokens whose signature was checked a moment ago.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "auth/token_codec.h"
#include "base/sha256.h"

namespace tars::auth {

// A signature does not change, so a device that calls again need not pay for it again; times and
// revocations are checked every time by the caller. Keyed by the token's SHA-256: it holds no
// token, and a lookup's time tells nothing about one. Thread-safe. Holds at most 2 × `capacity`
// entries (about 500 bytes each): when the young half is full, the old half is forgotten.
class TokenCache {
 public:
  using Digest = Sha256;

  explicit TokenCache(std::size_t capacity) : per_shard_(capacity / kShards + 1) {}

  std::optional<SignedClaims> find(const Digest& digest);
  void put(const Digest& digest, const SignedClaims& claims);
  std::size_t size() const;

 private:
  static constexpr std::size_t kShards = 16;
  struct FirstBytes {
    std::size_t operator()(const Digest& digest) const {
      std::size_t value = 0;
      std::memcpy(&value, digest.data(), sizeof value);
      return value;
    }
  };
  using Generation = std::unordered_map<Digest, SignedClaims, FirstBytes>;
  struct Shard {
    mutable std::mutex mutex;
    Generation young;
    Generation old;
  };
  Shard& shard(const Digest& digest) { return shards_[digest.back() % kShards]; }
  void insert(Shard& shard, const Digest& digest, SignedClaims claims);

  const std::size_t per_shard_;
  std::array<Shard, kShards> shards_;
};

}  // namespace tars::auth
