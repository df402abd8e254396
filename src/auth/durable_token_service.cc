#include "auth/durable_token_service.h"

#include <algorithm>
#include <utility>

#include "auth/enrollment.h"
#include "base/ids.h"

namespace tars::auth {

namespace {

constexpr std::size_t kCachedTokens = 4096;
constexpr std::size_t kRecentFamilies = 16384;
constexpr std::chrono::seconds kTouchInterval{60};
constexpr std::chrono::seconds kClockRetry{3600};  // a clock may be set right at any time

Error refused(ErrorCode code, const char* word) { return make_error(code, word); }

}  // namespace

DurableTokenService::DurableTokenService(Options options, std::filesystem::path database,
                                         Result<LoadedLedger> ledger,
                                         std::unique_ptr<DeadTokens> dead, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      database_(std::move(database)),
      nameless_codec_(options_, std::nullopt),
      codec_(ledger ? std::make_unique<TokenCodec>(options_, ledger->generation) : nullptr),
      is_open_(ledger.has_value()),
      cache_(kCachedTokens),
      uses_(kTouchInterval, kRecentFamilies),
      dead_(std::move(dead)),
      thread_(
          ledger ? Result<Ledger>(std::move(ledger->ledger)) : ledger.error(),
          [this] { return reopen(); }, {.leeway = options_.leeway}, *dead_, clock) {}

Result<Ledger> DurableTokenService::reopen() {
  auto loaded = load_ledger(database_, *dead_);
  if (!loaded) return loaded.error();
  codec_ = std::make_unique<TokenCodec>(options_, loaded->generation);
  is_open_ = true;
  return std::move(loaded->ledger);
}

Error DurableTokenService::closed_error() const {
  const auto status = thread_.status();
  if (!status) return status.error();
  return make_error(ErrorCode::store_unavailable, "auth.db was being opened: try again");
}

void DurableTokenService::set_revocation_listener(std::function<void(const Revocation&)> listener) {
  std::lock_guard lock(listener_mutex_);
  listener_ = std::move(listener);
}

Result<SignedClaims> DurableTokenService::read(std::string_view token) const {
  if (!is_open_) return nameless_codec_.decode(token);
  if (token.empty() || token.size() > kMaxTokenBytes) return codec_->decode(token);
  const auto digest = sha256(token);
  auto found = cache_.find(digest);
  if (!found) {
    auto decoded = codec_->decode(token);
    if (!decoded) return decoded.error();
    decoded->claims.admin = is_admin(decoded->claims.client_id);
    cache_.put(digest, *decoded);
    found = std::move(*decoded);
  }
  found->claims.good_until = found->claims.expires_at;
  if (found->previous_key && options_.previous_valid_until) {
    if (clock_.wall() >= *options_.previous_valid_until) {
      return refused(ErrorCode::invalid_token, "token_invalid");
    }
    found->claims.good_until =
        std::min(found->claims.expires_at, unix_seconds(*options_.previous_valid_until));
  }
  return std::move(*found);
}

Result<void> DurableTokenService::check_times(const SignedClaims& token) const {
  const std::int64_t leeway = options_.leeway.count();
  const std::int64_t time = now();
  if (token.not_before > time + leeway) {
    return refused(ErrorCode::invalid_token, "token_not_yet_valid");
  }
  // What was forgotten as expired stays expired, even if the clock is set back.
  const std::int64_t expires = token.claims.expires_at;
  if (time >= expires + leeway || expires < dead_->pruned_until()) {
    return refused(ErrorCode::invalid_token, "token_expired");
  }
  return {};
}

Result<Claims> DurableTokenService::verify_any(std::string_view token) const {
  const bool open = is_open_;  // first: see read()
  auto read_token = read(token);
  if (!read_token) return read_token.error();
  if (auto good = check_times(*read_token); !good) return good.error();
  if (!open) return closed_error();
  Claims& claims = read_token->claims;
  if (dead_->contains(claims.family, claims.token_id)) {
    return refused(ErrorCode::token_revoked, "token_revoked");
  }
  return std::move(claims);
}

Result<Claims> DurableTokenService::verify(std::string_view token, TokenType expected) const {
  auto claims = verify_any(token);
  if (claims && claims->type != expected)
    return refused(ErrorCode::invalid_token, "token_wrong_type");
  return claims;
}

// One that is behind now and one that was ahead look the same from here.
Result<void> DurableTokenService::check_clock() const {
  const std::int64_t mark = dead_->pruned_until();
  const auto lifetime = std::min(options_.access_lifetime, options_.refresh_lifetime);
  const std::int64_t left = mark - lifetime.count() - now();
  if (left <= 0) return {};
  const auto at = [](std::int64_t seconds) {
    return format_rfc3339(WallTime(std::chrono::seconds(seconds)));
  };
  Error error = make_error(
      ErrorCode::store_unavailable,
      "the clock of this server is behind or was ahead: it shows " + at(now()) +
          ", but every token that expires before " + at(mark) +
          " counts as expired. Tokens are issued again at " + at(now() + left) +
          "; if the clock is behind, set it right; if it is right and you cannot wait, stop the "
          "server and move auth.db away, and every device asks for a new token");
  error.retry_after = std::min(std::chrono::seconds(left), kClockRetry);
  return error;
}

Result<TokenPair> DurableTokenService::mint(Claims claims) const {
  if (auto good = check_clock(); !good) return good.error();
  claims.issued_at = now();
  TokenPair pair;
  pair.expires_in = options_.access_lifetime;
  for (const TokenType type : {TokenType::access, TokenType::refresh}) {
    const bool access = type == TokenType::access;
    claims.type = type;
    claims.token_id = make_id("tok");
    claims.expires_at =
        claims.issued_at + (access ? options_.access_lifetime : options_.refresh_lifetime).count();
    auto token = codec_->encode(claims);
    if (!token) return token.error();
    (access ? pair.access_token : pair.refresh_token) = std::move(*token);
  }
  return pair;
}

Claims DurableTokenService::new_family(const EnrollRequest& request) const {
  Claims claims{.client_id = request.client_id,
                .family = make_id("fam"),
                .token_id = {},
                .type = TokenType::access,
                .device_name = request.device_name,
                .device_type = request.device_type};
  claims.issued_at = now();
  return claims;
}

Result<TokenPair> DurableTokenService::enroll(const EnrollRequest& request) {
  if (auto admitted = admit(request, options_); !admitted) return admitted.error();
  if (!is_open_) return closed_error();
  Claims claims = new_family(request);
  auto pair = mint(claims);
  if (!pair) return pair;
  const WallTime seen = clock_.wall();
  const std::int64_t expires = latest_expiry();
  LedgerTask task{[claims = std::move(claims), seen, expires](Ledger& ledger) -> Outcome {
                    if (auto done = ledger.note_family(claims, seen, expires); !done)
                      return done.error();
                    return LedgerTask::Completion();
                  },
                  {},
                  true};
  if (auto queued = thread_.submit(std::move(task), LedgerThread::Urgency::soon); !queued) {
    return queued.error();
  }
  return pair;
}

void DurableTokenService::touch(const Claims& claims) {
  if (!is_open_ || !uses_.is_due(claims.family, clock_.steady())) return;
  LedgerTask task{[claims, seen = clock_.wall()](Ledger& ledger) -> Outcome {
                    auto done = ledger.note_family(claims, seen, claims.expires_at);
                    if (!done) return done.error();
                    return LedgerTask::Completion();
                  },
                  {}};
  // Dropped when the queue is full: the next use notes it again.
  static_cast<void>(thread_.submit(std::move(task), LedgerThread::Urgency::soon));
}

Result<void> DurableTokenService::check() const {
  if (auto stored = thread_.status(); !stored) return stored;
  return check_clock();
}

void DurableTokenService::shutdown() { thread_.shutdown(); }

std::int64_t DurableTokenService::latest_expiry() const {
  return now() + std::max(options_.access_lifetime, options_.refresh_lifetime).count();
}

bool DurableTokenService::is_admin(std::string_view client_id) const {
  const auto& admins = options_.admin_clients;
  return std::find(admins.begin(), admins.end(), client_id) != admins.end();
}

void DurableTokenService::announce(const Revocation& revocation) const {
  std::function<void(const Revocation&)> listener;
  {
    std::lock_guard lock(listener_mutex_);
    listener = listener_;
  }
  if (listener) listener(revocation);
}

}  // namespace tars::auth
