// Between claims and the compact form of a signed token (RFC 7519, RFC 7515), with RFC 8725's
// checks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/jws.h"
#include "auth/token_service.h"

namespace tars::auth {

// A longer token is refused before anything looks into it.
inline constexpr std::size_t kMaxTokenBytes = 8192;

// What a token says, signature checked, but not yet held against the clock or the revocations.
struct SignedClaims {
  Claims claims;
  std::int64_t not_before = 0;  // seconds since 1970
  bool previous_key = false;    // signed with the key that is on its way out
};

// Signs and reads with the current key and reads with the previous one. Immutable, so any thread
// may call. The algorithm is HS256 and nothing in a token can change that.
class TokenCodec {
 public:
  // `generation` names the ledger whose revocations are known; a token that names another one in
  // its `kid` is refused. nullopt: no ledger can be read, so any is let through here.
  explicit TokenCodec(const Options& options, std::optional<std::string> generation = "");

  // `claims.device_name` and `device_type` must be UTF-8. internal when it cannot be signed.
  Result<std::string> encode(const Claims& claims) const;
  // token_missing (unauthorized) or token_invalid: shape, header, signature, a claim that is
  // missing, twice or of a wrong type, iss, aud.
  Result<SignedClaims> decode(std::string_view token) const;

 private:
  struct Key {
    Key(const std::string& secret, const std::optional<std::string>& generation);

    std::string id;  // the header's kid; empty: not compared
    JwsKey jws;
  };
  struct Header {
    std::optional<std::string> key_id;
  };
  static std::optional<Header> read_header(std::string_view encoded);
  Result<SignedClaims> read_claims(std::string_view encoded) const;

  Key current_;
  std::optional<Key> previous_;
  std::string issuer_;
  std::string audience_;
};

}  // namespace tars::auth
