#include "auth/ledger.h"

#include <array>

namespace tars::auth {

namespace {

// Ids sort by the time they were made, so clustered keys append instead of scattering over the
// pages.
constexpr std::array kMigrations{store::Migration{1, R"sql(
CREATE TABLE families(
  sid TEXT PRIMARY KEY,
  client_id TEXT NOT NULL,
  device_name TEXT NOT NULL,
  device_type TEXT NOT NULL,
  created_at INTEGER NOT NULL,    -- microseconds since 1970
  last_seen_at INTEGER NOT NULL,  -- microseconds since 1970
  expires_at INTEGER NOT NULL     -- seconds since 1970
) STRICT, WITHOUT ROWID;
CREATE INDEX families_by_client ON families(client_id);
CREATE TABLE revoked_families(
  sid TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL     -- seconds since 1970: no token of it is good longer
) STRICT, WITHOUT ROWID;
CREATE TABLE dead_tokens(
  jti TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL,    -- seconds since 1970
  spent_at INTEGER                -- microseconds since 1970; NULL: revoked
) STRICT, WITHOUT ROWID;
CREATE TABLE pruned(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  until INTEGER NOT NULL          -- seconds since 1970: what expired earlier is forgotten
) STRICT;
INSERT INTO pruned VALUES (1, 0);
)sql"},
                                 // A ledger that was in use already keeps the empty name, and with
                                 // it the tokens that were given out.
                                 store::Migration{2, R"sql(
CREATE TABLE generation(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  name TEXT NOT NULL
) STRICT;
INSERT INTO generation
  SELECT 1, CASE WHEN until > 0 THEN '' ELSE lower(hex(randomblob(16))) END FROM pruned;
)sql"},
                                 // How long any token of a family whose row is gone may be good.
                                 store::Migration{3, R"sql(
ALTER TABLE pruned ADD COLUMN families_until INTEGER NOT NULL DEFAULT 0;
)sql"}};

std::int64_t micros(WallTime t) { return t.time_since_epoch().count(); }
WallTime from_micros(std::int64_t t) { return WallTime(std::chrono::microseconds(t)); }

// Rows of sid, client_id, device_name, device_type, created_at, last_seen_at.
Result<std::vector<Device>> read_devices(store::Statement& statement) {
  std::vector<Device> out;
  for (;;) {
    auto row = statement.step();
    if (!row) return row.error();
    if (!*row) return out;
    out.push_back({.client_id = statement.text(1),
                   .family = statement.text(0),
                   .device_name = statement.text(2),
                   .device_type = statement.text(3),
                   .created_at = from_micros(statement.integer(4)),
                   .last_seen_at = from_micros(statement.integer(5))});
  }
}

}  // namespace

Result<Ledger> Ledger::open(const std::filesystem::path& path) {
  auto database = store::Database::open(path, store::Durability::power_loss, kMigrations);
  if (!database) return database.error();
  return Ledger(std::move(*database));
}

Result<store::Transaction> Ledger::transaction() {
  if (auto there = place().check(); !there) return there.error();
  return store::Transaction::begin(database_);
}

int Ledger::newest_schema() { return kMigrations.back().version; }

Result<void> Ledger::load(DeadTokens& dead) {
  auto families = database_.prepare("SELECT sid, expires_at FROM revoked_families");
  if (!families) return families.error();
  for (;;) {
    auto row = families->step();
    if (!row) return row.error();
    if (!*row) break;
    dead.add_family(families->text(0), families->integer(1));
  }
  auto tokens = database_.prepare("SELECT jti, expires_at FROM dead_tokens");
  if (!tokens) return tokens.error();
  for (;;) {
    auto row = tokens->step();
    if (!row) return row.error();
    if (!*row) break;
    dead.add_token(tokens->text(0), tokens->integer(1));
  }
  auto pruned = database_.prepare("SELECT until FROM pruned");
  if (!pruned) return pruned.error();
  auto row = pruned->step();
  if (!row) return row.error();
  if (*row) dead.prune(pruned->integer(0));
  return {};
}

Result<std::string> Ledger::generation() {
  auto statement = database_.prepare("SELECT name FROM generation");
  if (!statement) return statement.error();
  auto row = statement->step();
  if (!row) return row.error();
  if (!*row) return make_error(ErrorCode::store_unavailable, "auth.db has lost its name");
  return statement->text(0);
}

Result<void> Ledger::note_family(const Claims& claims, WallTime now, std::int64_t expires_at) {
  auto statement = database_.prepare(
      "INSERT INTO families VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(sid) DO UPDATE SET"
      " last_seen_at = max(last_seen_at, excluded.last_seen_at),"
      " expires_at = max(expires_at, excluded.expires_at)");
  if (!statement) return statement.error();
  return statement->bind(1, std::string_view(claims.family))
      .bind(2, std::string_view(claims.client_id))
      .bind(3, std::string_view(claims.device_name))
      .bind(4, std::string_view(claims.device_type))
      .bind(5, claims.issued_at * 1'000'000)
      .bind(6, micros(now))
      .bind(7, expires_at)
      .run();
}

Result<std::optional<std::string>> Ledger::client_of(std::string_view family) {
  auto statement = database_.prepare(
      "SELECT client_id FROM families WHERE sid = ?1"
      " AND NOT EXISTS (SELECT 1 FROM revoked_families r WHERE r.sid = ?1)");
  if (!statement) return statement.error();
  auto row = statement->bind(1, family).step();
  if (!row) return row.error();
  if (!*row) return std::optional<std::string>();
  return std::optional(statement->text(0));
}

Result<std::vector<Device>> Ledger::families(const FamilyQuery& query, std::int64_t now) {
  // Two texts, so that the client's index serves the one.
  auto statement = database_.prepare(
      query.client_id.empty()
          ? "SELECT sid, client_id, device_name, device_type, created_at, last_seen_at"
            " FROM families f WHERE (?1 = '' OR sid < ?1) AND ?2 = '' AND expires_at >= ?3"
            " AND NOT EXISTS (SELECT 1 FROM revoked_families r WHERE r.sid = f.sid)"
            " ORDER BY sid DESC LIMIT ?4"
          : "SELECT sid, client_id, device_name, device_type, created_at, last_seen_at"
            " FROM families f WHERE (?1 = '' OR sid < ?1) AND client_id = ?2 AND expires_at >= ?3"
            " AND NOT EXISTS (SELECT 1 FROM revoked_families r WHERE r.sid = f.sid)"
            " ORDER BY sid DESC LIMIT ?4");
  if (!statement) return statement.error();
  statement->bind(1, std::string_view(query.after))
      .bind(2, std::string_view(query.client_id))
      .bind(3, now)
      .bind(4, static_cast<std::int64_t>(query.limit));
  return read_devices(*statement);
}

Result<bool> Ledger::is_family_revoked(std::string_view family) {
  auto statement = database_.prepare("SELECT 1 FROM revoked_families WHERE sid = ?1");
  if (!statement) return statement.error();
  return statement->bind(1, family).step();
}

Result<std::optional<std::int64_t>> Ledger::revoke_family(std::string_view family,
                                                          std::int64_t expires_at) {
  auto statement = database_.prepare(
      "INSERT INTO revoked_families VALUES (?1, max(?2, ifnull((SELECT expires_at FROM families"
      " WHERE sid = ?1), (SELECT families_until FROM pruned))))"
      " ON CONFLICT(sid) DO NOTHING RETURNING expires_at");
  if (!statement) return statement.error();
  auto row = statement->bind(1, family).bind(2, expires_at).step();
  if (!row) return row.error();
  if (!*row) return std::optional<std::int64_t>();
  return std::optional(statement->integer(0));
}

Result<std::optional<Ledger::Death>> Ledger::death_of(std::string_view token_id) {
  auto statement = database_.prepare("SELECT spent_at FROM dead_tokens WHERE jti = ?1");
  if (!statement) return statement.error();
  auto row = statement->bind(1, token_id).step();
  if (!row) return row.error();
  if (!*row) return std::optional<Death>();
  if (statement->is_null(0)) return std::optional(Death{});
  return std::optional(Death{from_micros(statement->integer(0))});
}

Result<bool> Ledger::end_token(std::string_view token_id, std::int64_t expires_at,
                               std::optional<WallTime> spent_at) {
  auto statement =
      database_.prepare("INSERT INTO dead_tokens VALUES (?1, ?2, ?3) ON CONFLICT(jti) DO NOTHING");
  if (!statement) return statement.error();
  statement->bind(1, token_id).bind(2, expires_at);
  if (spent_at) {
    statement->bind(3, micros(*spent_at));
  } else {
    statement->bind(3, nullptr);
  }
  if (auto done = statement->run(); !done) return done.error();
  return database_.changes() > 0;
}

Result<Ledger::Pruned> Ledger::prune(std::int64_t cutoff, int limit) {
  Pruned out;
  // No further than to what is forgotten: a clock that shows a far future for a moment would
  // else end every token until then. A family that is forgotten moves another mark: no token of it
  // was revoked, so none is to be refused, but one that is revoked later must stay so for as long
  // as its row would have said.
  auto last = database_.prepare(
      "UPDATE pruned SET until = max(until, 1 + ifnull((SELECT max(expires_at) FROM ("
      "SELECT max(expires_at) AS expires_at FROM revoked_families WHERE expires_at < ?1"
      " UNION ALL SELECT max(expires_at) FROM dead_tokens WHERE expires_at < ?1)), -1)),"
      " families_until = max(families_until,"
      " ifnull((SELECT max(expires_at) FROM families WHERE expires_at < ?1), 0))"
      " RETURNING until");
  if (!last) return last.error();
  auto row = last->bind(1, cutoff).step();
  if (!row) return row.error();
  if (*row) out.until = last->integer(0);
  row = last->step();  // to its end, which writes
  if (!row) return row.error();
  for (const std::string_view sql :
       {std::string_view("DELETE FROM families WHERE sid IN (SELECT sid FROM families"
                         " WHERE expires_at < ?1 LIMIT ?2)"),
        std::string_view(
            "DELETE FROM revoked_families WHERE sid IN (SELECT sid FROM revoked_families"
            " WHERE expires_at < ?1 LIMIT ?2)"),
        std::string_view("DELETE FROM dead_tokens WHERE jti IN (SELECT jti FROM dead_tokens"
                         " WHERE expires_at < ?1 LIMIT ?2)")}) {
    auto statement = database_.prepare(sql);
    if (!statement) return statement.error();
    if (auto done = statement->bind(1, cutoff).bind(2, std::int64_t{limit}).run(); !done) {
      return done.error();
    }
    out.more = out.more || database_.changes() >= limit;
  }
  return out;
}

Result<std::int64_t> Ledger::rows_written() {
  auto statement = database_.prepare("SELECT total_changes()");
  if (!statement) return statement.error();
  if (auto row = statement->step(); !row) return row.error();
  return statement->integer(0);
}

Result<void> Ledger::probe() {
  auto statement = database_.prepare("UPDATE pruned SET until = until");
  if (!statement) return statement.error();
  return statement->run();
}

Result<LoadedLedger> load_ledger(const std::filesystem::path& path, DeadTokens& dead) {
  auto ledger = Ledger::open(path);
  if (!ledger) return ledger.error();
  if (auto loaded = ledger->load(dead); !loaded) return loaded.error();
  auto generation = ledger->generation();
  if (!generation) return generation.error();
  return LoadedLedger{std::move(*ledger), std::move(*generation)};
}

}  // namespace tars::auth
