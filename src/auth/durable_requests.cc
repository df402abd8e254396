// The requests of DurableTokenService that are answered only once they are on the disk.
#include <algorithm>
#include <utility>

#include "auth/durable_token_service.h"
#include "auth/enrollment.h"

namespace tars::auth {

namespace {

template <class T>
LedgerTask::Completion answer(const std::shared_ptr<TokenService::Callback<T>>& done,
                              Result<T> result) {
  return [done, result = std::move(result)]() mutable { (*done)(std::move(result)); };
}

LedgerTask::Completion in_order(LedgerTask::Completion first, LedgerTask::Completion second) {
  return [first = std::move(first), second = std::move(second)] {
    if (first) first();
    second();
  };
}

}  // namespace

template <class T>
void DurableTokenService::submit(
    Callback<T> done, std::function<Outcome(Ledger&, const std::shared_ptr<Callback<T>>&)> run) {
  auto shared = std::make_shared<Callback<T>>(std::move(done));
  LedgerTask task{[shared, run = std::move(run)](Ledger& ledger) { return run(ledger, shared); },
                  [shared](const Error& error) { (*shared)(error); }};
  // What is not queued is answered on the caller's own thread: there is no place to note it.
  auto queued = thread_.submit(std::move(task), LedgerThread::Urgency::now);
  if (!queued) (*shared)(queued.error());
}

void DurableTokenService::refresh(std::string refresh_token, Callback<TokenPair> done) {
  if (!is_open_) return done(closed_error());  // first: see read()
  auto token = read(refresh_token);
  Result<void> good = token ? check_times(*token) : Result<void>(token.error());
  if (good && token->claims.type != TokenType::refresh) {
    good = make_error(ErrorCode::invalid_token, "token_wrong_type");
  }
  submit<TokenPair>(
      std::move(done),
      [this, good, claims = token ? token->claims : Claims{}](
          Ledger& ledger, const std::shared_ptr<Callback<TokenPair>>& shared) -> Outcome {
        if (!good) return answer<TokenPair>(shared, good.error());
        return rotate(ledger, claims, shared);
      });
}

// RFC 9700 section 4.14.2: a refresh token is good once. Who uses it again may be a thief, or the
// owner after a thief: neither can be told from the other, so the whole family ends.
DurableTokenService::Outcome DurableTokenService::rotate(
    Ledger& ledger, const Claims& claims, const std::shared_ptr<Callback<TokenPair>>& done) {
  const Error revoked = make_error(ErrorCode::token_revoked, "token_revoked");
  auto ended = ledger.is_family_revoked(claims.family);
  if (!ended) return ended.error();
  if (*ended) return answer<TokenPair>(done, revoked);
  auto death = ledger.death_of(claims.token_id);
  if (!death) return death.error();
  const WallTime time = clock_.wall();
  if (*death) {
    if (!(*death)->spent_at) return answer<TokenPair>(done, revoked);
    // A clock that was set back makes the age negative: no reason to be kind.
    const auto age = time - *(*death)->spent_at;
    if (age < age.zero() || age >= options_.refresh_grace) {
      auto end = end_family(ledger, claims.client_id, claims.family, latest_expiry());
      if (!end) return end;
      return in_order(std::move(*end), answer<TokenPair>(done, revoked));
    }
  }
  auto pair = mint(claims);
  if (!pair) return answer<TokenPair>(done, std::move(pair));
  if (auto spent = ledger.end_token(claims.token_id, claims.expires_at, time); !spent) {
    return spent.error();
  }
  if (auto noted = ledger.note_family(claims, time, latest_expiry()); !noted) return noted.error();
  auto effect = [this, id = claims.token_id, expires = claims.expires_at] {
    dead_->add_token(id, expires);
  };
  return in_order(std::move(effect), answer<TokenPair>(done, std::move(pair)));
}

DurableTokenService::Outcome DurableTokenService::end_family(Ledger& ledger,
                                                             const std::string& client_id,
                                                             const std::string& family,
                                                             std::int64_t expires_at) {
  auto ended = ledger.revoke_family(family, expires_at);
  if (!ended) return ended.error();
  if (!*ended) return LedgerTask::Completion();  // it already was
  return LedgerTask::Completion(
      [this, expires = **ended, revocation = Revocation{client_id, family, {}}] {
        dead_->add_family(revocation.family, expires);
        announce(revocation);
      });
}

void DurableTokenService::revoke(Claims caller, std::string token, Callback<void> done) {
  // An empty token means the bearer's own. Any other is only believed when we signed it; how late
  // it is does not matter, an expired access token is as gone as it can be.
  Claims target = caller;
  bool ours = true;
  if (!token.empty()) {
    auto read_token = read(token);
    ours = read_token.has_value() &&
           (caller.admin || read_token->claims.client_id == caller.client_id);
    if (ours) target = read_token->claims;
  }
  submit<void>(std::move(done),
               [this, target = std::move(target), ours](
                   Ledger& ledger, const std::shared_ptr<Callback<void>>& shared) -> Outcome {
                 if (!ours) return answer<void>(shared, {});
                 LedgerTask::Completion effect;
                 if (target.type == TokenType::refresh) {
                   auto end = end_family(ledger, target.client_id, target.family,
                                         std::max(latest_expiry(), target.expires_at));
                   if (!end) return end;
                   effect = std::move(*end);
                 } else {
                   auto ended = ledger.end_token(target.token_id, target.expires_at, std::nullopt);
                   if (!ended) return ended.error();
                   if (*ended) {
                     effect = [this, target] {
                       dead_->add_token(target.token_id, target.expires_at);
                       announce({target.client_id, target.family, target.token_id});
                     };
                   }
                 }
                 return in_order(std::move(effect), answer<void>(shared, {}));
               });
}

void DurableTokenService::revoke_device(Claims caller, std::string family, Callback<void> done) {
  submit<void>(std::move(done),
               [this, caller = std::move(caller), family = std::move(family)](
                   Ledger& ledger, const std::shared_ptr<Callback<void>>& shared) -> Outcome {
                 auto client = ledger.client_of(family);
                 if (!client) return client.error();
                 std::optional<std::string> owner = *client;
                 // A crash may have forgotten the row of the family that the caller itself belongs
                 // to.
                 if (!owner && family == caller.family) owner = caller.client_id;
                 if (!owner || (*owner != caller.client_id && !caller.admin)) {
                   return answer<void>(shared, make_error(ErrorCode::not_found, "no such device"));
                 }
                 auto end = end_family(ledger, *owner, family, latest_expiry());
                 if (!end) return end;
                 return in_order(std::move(*end), answer<void>(shared, {}));
               });
}

void DurableTokenService::issue(EnrollRequest request, Callback<TokenPair> done) {
  Options anyone;
  anyone.enrollment = Enrollment::open;
  auto good = admit(request, anyone);
  submit<TokenPair>(
      std::move(done),
      [this, good = std::move(good), request = std::move(request)](
          Ledger& ledger, const std::shared_ptr<Callback<TokenPair>>& shared) -> Outcome {
        if (!good) return answer<TokenPair>(shared, good.error());
        const Claims claims = new_family(request);
        auto pair = mint(claims);
        if (!pair) return answer<TokenPair>(shared, std::move(pair));
        auto noted = ledger.note_family(claims, clock_.wall(), latest_expiry());
        if (!noted) return noted.error();
        return answer<TokenPair>(shared, std::move(pair));
      });
}

void DurableTokenService::families(FamilyQuery query, Callback<std::vector<Device>> done) {
  submit<std::vector<Device>>(
      std::move(done),
      [this, query = std::move(query)](
          Ledger& ledger, const std::shared_ptr<Callback<std::vector<Device>>>& shared) -> Outcome {
        auto list = ledger.families(query, now());
        if (!list) return list.error();
        return answer<std::vector<Device>>(shared, std::move(*list));
      });
}

}  // namespace tars::auth
