// The TokenService that keeps its state in auth.db.
#pragma once

#include <atomic>
#include <filesystem>
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
  // Without a ledger its error says why, and every token is refused until `database` can be loaded
  // after all. `dead` is what the ledger says.
  DurableTokenService(Options options, std::filesystem::path database, Result<LoadedLedger> ledger,
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

  // On the writer thread: the ledger that could not be loaded before. From then on is_open_.
  Result<Ledger> reopen();
  // Why there is no ledger yet.
  Error closed_error() const;
  // Signature, claims and key, from the cache or the codec. Whoever believes it asks for is_open_
  // first: before, a token of any ledger is let through.
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
  const std::filesystem::path database_;
  // Tells a bad token while the name of the ledger is unknown.
  const TokenCodec nameless_codec_;
  std::unique_ptr<const TokenCodec> codec_;  // written once, before is_open_
  // The revocations are known; never unknown again.
  std::atomic<bool> is_open_ = false;
  mutable TokenCache cache_;
  RecentUses uses_;
  std::unique_ptr<DeadTokens> dead_;
  mutable std::mutex listener_mutex_;
  std::function<void(const Revocation&)> listener_;
  LedgerThread thread_;  // last: its tasks use everything above
};

}  // namespace tars::auth
