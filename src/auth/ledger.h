// The tables behind the tokens: device families, revoked families, revoked and spent tokens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/dead_tokens.h"
#include "auth/token_service.h"
#include "store/database.h"

namespace tars::auth {

// Owns auth.db. One thread at a time. Every failure is store_unavailable. Ids and times only, never
// a token; a refresh token is known by its jti. Writes belong inside transaction().
class Ledger {
 public:
  static Result<Ledger> open(const std::filesystem::path& path);
  // Of auth.db, as this program writes it.
  static int newest_schema();

  // Also fails where the file is not in its place any more: SQLite would go on writing into it.
  Result<store::Transaction> transaction();
  // Everything that is revoked or spent, and how far was pruned.
  Result<void> load(DeadTokens& dead);

  // The random name that this ledger got when it was made. Tokens carry it (in their kid), so that
  // one made anew, which knows no earlier revocation, takes none of them.
  Result<std::string> generation();

  // Notes the family that `claims` belongs to, or that it was seen at `now` and lives until
  // `expires_at` (seconds since 1970).
  Result<void> note_family(const Claims& claims, WallTime now, std::int64_t expires_at);
  // The client of a family that is not revoked; nullopt when there is none.
  Result<std::optional<std::string>> client_of(std::string_view family);
  // Where its file is.
  const store::FilePlace& place() const { return database_.place(); }
  // A page of the families that are neither revoked nor expired at `now`.
  Result<std::vector<Device>> families(const FamilyQuery& query, std::int64_t now);

  Result<bool> is_family_revoked(std::string_view family);
  // The latest second at which a token of it could be good: `expires_at`, or later where the family
  // is known to live longer, or is unknown and may be one that was forgotten. nullopt when it
  // already was revoked.
  Result<std::optional<std::int64_t>> revoke_family(std::string_view family,
                                                    std::int64_t expires_at);

  struct Death {
    std::optional<WallTime> spent_at;  // nullopt: revoked
  };
  Result<std::optional<Death>> death_of(std::string_view token_id);
  // `spent_at` nullopt = revoked. false when it already was dead.
  Result<bool> end_token(std::string_view token_id, std::int64_t expires_at,
                         std::optional<WallTime> spent_at);

  struct Pruned {
    bool more = false;  // there may be more
    // What was revoked or spent and expires before it is forgotten; never goes back.
    std::int64_t until = 0;
  };
  // Removes up to `limit` rows of each table that expire before `cutoff`, and notes how far that
  // reaches: behind the last of them, not to the cutoff, which a clock may have put anywhere.
  Result<Pruned> prune(std::int64_t cutoff, int limit);
  // Rows written since it was opened, those that were taken back too: whether something wrote.
  Result<std::int64_t> rows_written();
  // Writes a little, to see whether one can.
  Result<void> probe();

 private:
  explicit Ledger(store::Database database) : database_(std::move(database)) {}

  store::Database database_;
};

// A ledger together with its name.
struct LoadedLedger {
  Ledger ledger;
  std::string generation;
};

// Opens it and reads all of it into `dead`; what a try that failed has read already does no harm.
Result<LoadedLedger> load_ledger(const std::filesystem::path& path, DeadTokens& dead);

}  // namespace tars::auth
