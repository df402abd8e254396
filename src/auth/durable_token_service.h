// The TokenService that keeps its state in auth.db.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "auth/dead_tokens.h"
#include "auth/ledger_thread.h"
#include "auth/recent_uses.h"
#include "auth/token_cache.h"
#include "auth/token_codec.h"
#include "auth/token_service.h"

namespace tars::auth {

// Reading is in memory (codec, cache of checked signatures, dead tokens); writing is a task for the
// ledger thread, and takes effect in memory once it is on the disk.
class DurableTokenService final : public TokenService {
 public:
  // Without a ledger: `broken` says why, and every token is refused with it.
  // `generation` is the ledger's.
  DurableTokenService(Options options, std::optional<Ledger> ledger,
                      std::optional<std::string> generation, std::optional<Error> broken,
                      std::unique_ptr<DeadTokens> dead, const Clock& clock);
  ~DurableTokenService() override { shutdown(); }

  void set_revocation_listener(std::function<void(const Revocation&)> listener) override;
  Result<TokenPair> enroll(const EnrollRequest& request) override;
  Result<Claims> verify(std::string_view token, TokenType expected) const override;
  Result<Claims> verify_any(std::string_view token) const override;
  void refresh(std::string refresh_token, Callback<TokenPair> done) override;
  void revoke(Claims caller, std::string token, Callback<void> done) override;
  void revoke_device(Claims caller, std::string family, Callback<void> done) override;
  void issue(EnrollRequest request, Callback<TokenPair> done) override;
  void families(FamilyQuery query, Callback<std::vector<Device>> done) override;
  void touch(const Claims& claims) override;
  Result<void> check() const override;
  void shutdown() override;

 private:
  using Outcome = Result<LedgerTask::Completion>;
  template <class T>
  void submit(Callback<T> done,
              std::function<Outcome(Ledger&, const std::shared_ptr<Callback<T>>&)> run);

  // Signature, claims and key, from the cache or the codec.
  Result<SignedClaims> read(std::string_view token) const;
  Result<void> check_times(const SignedClaims& token) const;
  // store_unavailable while a pair that is made now would count as expired: what was forgotten
  // expires later than it.
  Result<void> check_clock() const;
  // iat, nbf and exp of a pair made now; errors of check_clock().
  Result<TokenPair> mint(Claims claims) const;
  // Of a family that begins now.
  Claims new_family(const EnrollRequest& request) const;
  Outcome rotate(Ledger& ledger, const Claims& claims,
                 const std::shared_ptr<Callback<TokenPair>>& done);
  // Marks the family revoked; the completion makes it effective and tells the listener.
  Outcome end_family(Ledger& ledger, const std::string& client_id, const std::string& family,
                     std::int64_t expires_at);
  void announce(const Revocation& revocation) const;
  std::int64_t now() const { return unix_seconds(clock_.wall()); }
  std::int64_t latest_expiry() const;
  bool is_admin(std::string_view client_id) const;

  const Options options_;
  const Clock& clock_;
  const TokenCodec codec_;
  // Set when the revocations could not be read at the start; never changes.
  const std::optional<Error> broken_;
  mutable TokenCache cache_;
  RecentUses uses_;
  std::unique_ptr<DeadTokens> dead_;
  mutable std::mutex listener_mutex_;
  std::function<void(const Revocation&)> listener_;
  LedgerThread thread_;  // last: its tasks use everything above
};

}  // namespace tars::auth
