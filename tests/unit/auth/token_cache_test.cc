#include "auth/token_cache.h"

#include <gtest/gtest.h>

namespace tars::auth {
namespace {

SignedClaims claims(const std::string& client) {
  SignedClaims out;
  out.claims.client_id = client;
  out.not_before = 7;
  return out;
}

TEST(TokenCache, FindsWhatWasPut) {
  TokenCache cache(64);
  const auto digest = sha256("a");
  EXPECT_FALSE(cache.find(digest));
  cache.put(digest, claims("alice"));
  ASSERT_TRUE(cache.find(digest));
  EXPECT_EQ(cache.find(digest)->claims.client_id, "alice");
  EXPECT_EQ(cache.find(digest)->not_before, 7);
  EXPECT_FALSE(cache.find(sha256("b")));
}

TEST(TokenCache, IsBoundedAndKeepsWhatIsUsed) {
  TokenCache cache(160);
  const auto used = sha256("used");
  cache.put(used, claims("used"));
  for (int i = 0; i < 20'000; ++i) {
    cache.put(sha256(std::to_string(i)), claims("x"));
    ASSERT_TRUE(cache.find(used)) << i;
  }
  EXPECT_LE(cache.size(), 2U * (160 + 16));
  EXPECT_FALSE(cache.find(sha256("0")));
}

}  // namespace
}  // namespace tars::auth
