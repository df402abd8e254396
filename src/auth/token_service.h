// Mints, verifies, rotates and revokes the access and refresh tokens of the wire contract's section
// Authentication (RFC 7519, RFC 8725, RFC 9700 section 4.14, RFC 7009, RFC 7662).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/options.h"
#include "base/clock.h"
#include "base/error.h"

namespace tars::auth {

enum class TokenType { access, refresh };

// What a verified token says. verify() fills it all in; who changes it changes no token.
struct Claims {
  std::string client_id;  // sub
  std::string family;  // sid: begun by one /auth/token call
  std::string token_id;  // jti
  TokenType type = TokenType::access;
  std::string device_name;
  std::string device_type;
  std::int64_t issued_at = 0;  // seconds since 1970
  std::int64_t expires_at = 0;  // seconds since 1970
  std::int64_t good_until = 0;  // the same, or the end of the key that signed it, if that is sooner
  bool admin = false;
};

// The only place where the tokens themselves are: they are not kept, and never logged.
struct TokenPair {
  std::string access_token;
  std::string refresh_token;
  std::chrono::seconds expires_in{0};  // of the access token, from now
};

struct EnrollRequest {
  std::string client_id;  // validated here: 1–128 of A-Za-z0-9._:@-
  std::string device_name;  // at most 128 characters
  std::string device_type;
  std::optional<std::string> enrollment_key;
};

struct Device {
  std::string client_id;
  std::string family;
  std::string device_name;
  std::string device_type;
  WallTime created_at{};
  WallTime last_seen_at{};
};

// A page of device families, the newest first by their ids: an order that no use changes from one
// page to the next.
struct FamilyQuery {
  std::string client_id = {};  // empty = of every client
  std::string after = {};  // families behind this one, which the page before ended with
  std::size_t limit = 100;
};

// What a revocation ends: a whole family, or one token of it.
struct Revocation {
  std::string client_id;
  std::string family;
  std::string token_id;  // empty = the family
};

// Owns its database (auth.db in the data folder) and one writer thread. Every member may be called
// from any thread and none blocks on the disk: what must be durable first takes a callback, which
// comes on the writer thread, exactly once (on the caller's own thread only when the queue is full:
// overloaded, while the database was never read: store_unavailable, or after shutdown(): draining).
// Callbacks and the listener must not throw nor call shutdown(). The store holds ids and times,
// never a token.
class TokenService {
 public:
  // config_error: a folder that cannot be written, a database of a newer program, a secret under 32
  // bytes. A database that cannot be read is no error here: the service then refuses every token,
  // see check(), until one of its further tries, every few seconds, can. `clock` must outlive the
  // service.
  static Result<std::unique_ptr<TokenService>> open(const std::filesystem::path& database,
                                                    Options options, const Clock& clock);
  virtual ~TokenService() = default;

  template <class T>
  using Callback = std::function<void(Result<T>)>;

  // `listener` is called (from any thread) once a revocation took effect: close sockets, stop runs.
  virtual void set_revocation_listener(std::function<void(const Revocation&)> listener) = 0;

  // invalid_request with fields, forbidden (enrolment), overloaded (write-behind queue full), or
  // store_unavailable (revocations cannot be read or written, or the clock is behind).
  // Not durable before it returns: a family that a crash forgot is taken up again by its next valid
  // token.
  virtual Result<TokenPair> enroll(const EnrollRequest& request) = 0;
  // The signature, algorithm (HS256 alone), iss, aud, exp, nbf, type and revocation. Messages are
  // the short words of the close reasons: token_missing (unauthorized), token_invalid,
  // token_expired, token_not_yet_valid, token_wrong_type (all invalid_token), token_revoked.
  // store_unavailable when revocations cannot be read.
  virtual Result<Claims> verify(std::string_view token, TokenType expected) const = 0;
  // Either type. Claims::good_until is when it ends.
  virtual Result<Claims> verify_any(std::string_view token) const = 0;
  // Durable before the callback. Reuse of a spent token revokes the family first. Errors as
  // verify(); token_wrong_type for an access token.
  virtual void refresh(std::string refresh_token, Callback<TokenPair> done) = 0;
  // RFC 7009: success for unknown and foreign tokens too; an empty token is the caller's own.
  // Durable before the callback.
  virtual void revoke(Claims caller, std::string token, Callback<void> done) = 0;
  // not_found when the caller's client has no such family. Durable before the callback.
  virtual void revoke_device(Claims caller, std::string family, Callback<void> done) = 0;
  // Those that are neither revoked nor expired.
  virtual void families(FamilyQuery query, Callback<std::vector<Device>> done) = 0;
  // For whoever holds the data folder: a pair without enrolment's rules; `request.enrollment_key`
  // does not matter. Durable before the callback. invalid_request with fields.
  virtual void issue(EnrollRequest request, Callback<TokenPair> done) = 0;
  // Remembers that a family was used; cheap, written later.
  virtual void touch(const Claims& claims) = 0;
  // Can revocations be read and written, and tokens be issued?
  virtual Result<void> check() const = 0;
  // Writes what waits, joins the thread.
  virtual void shutdown() = 0;
};

}  // namespace tars::auth
