#include "auth/token_codec.h"

#include <algorithm>
#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "auth/base64url.h"
#include "auth/client_id.h"
#include "auth/flat_json.h"
#include "base/ids.h"
#include "base/sha256.h"

namespace tars::auth {

namespace {

namespace json = boost::json;

Error invalid() { return make_error(ErrorCode::invalid_token, "token_invalid"); }

// Names the key, together with the ledger that knows its revocations, without telling anything
// about it.
std::string key_id(const std::string& secret, const std::optional<std::string>& generation) {
  if (!generation) return {};
  return sha256_hex("tars token key " + *generation + secret).substr(0, 16);
}

// Ids come from make_id(); what else claims to be one is kept out of the database.
bool is_id(const std::string* text) {
  return text != nullptr && !text->empty() && text->size() <= 64 &&
         std::all_of(text->begin(), text->end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

std::optional<TokenType> type_of(const std::string* text) {
  if (text == nullptr) return std::nullopt;
  if (*text == "access") return TokenType::access;
  if (*text == "refresh") return TokenType::refresh;
  return std::nullopt;
}

// Absent is empty; another type than text is a fault.
bool optional_text(const FlatObject& object, std::string_view name, std::string& out) {
  const std::string* text = object.text(name);
  if (text == nullptr) return !object.has(name);
  out = *text;
  return true;
}

}  // namespace

TokenCodec::Key::Key(const std::string& secret, const std::optional<std::string>& generation)
    : id(key_id(secret, generation)), jws(secret, id) {}

TokenCodec::TokenCodec(const Options& options, std::optional<std::string> generation)
    : current_(options.secret_key, generation),
      issuer_(options.issuer),
      audience_(options.audience) {
  if (options.previous_secret_key) previous_.emplace(*options.previous_secret_key, generation);
}

Result<std::string> TokenCodec::encode(const Claims& claims) const {
  std::array<unsigned char, 2048> memory;
  json::monotonic_resource resource(memory.data(), memory.size());
  json::object payload(&resource);
  payload.reserve(11);
  const auto add = [&](std::string_view name, const auto& value) { payload.emplace(name, value); };
  add("iss", issuer_);
  add("aud", audience_);
  add("sub", claims.client_id);
  add("type", claims.type == TokenType::access ? "access" : "refresh");
  add("jti", claims.token_id);
  add("sid", claims.family);
  add("device_name", claims.device_name);
  add("device_type", claims.device_type);
  add("iat", claims.issued_at);
  add("nbf", claims.issued_at);
  add("exp", claims.expires_at);
  auto token = current_.jws.sign(json::serialize(payload));
  if (!token) return make_error(ErrorCode::internal, "a token could not be signed");
  return std::move(*token);
}

Result<SignedClaims> TokenCodec::decode(std::string_view token) const {
  if (token.empty()) return make_error(ErrorCode::unauthorized, "token_missing");
  if (token.size() > kMaxTokenBytes) return invalid();
  const auto parts = split_compact(token);
  if (!parts) return invalid();
  const auto header = read_header((*parts)[0]);
  if (!header) return invalid();

  const auto fits = [&](const Key& key) {
    const bool named = !header->key_id || key.id.empty() || *header->key_id == key.id;
    return named && key.jws.verify(token);
  };
  bool previous = false;
  if (!fits(current_)) {
    if (!previous_ || !fits(*previous_)) return invalid();
    previous = true;
  }
  auto claims = read_claims((*parts)[1]);
  if (claims) claims->previous_key = previous;
  return claims;
}

// The header is the attacker's: `alg` must be exactly ours, `kid` can only choose between our keys,
// and whatever points to other keys (jku, jwk, x5u …) is not even read.
std::optional<TokenCodec::Header> TokenCodec::read_header(std::string_view encoded) {
  const auto json = decode_base64url(encoded);
  if (!json) return std::nullopt;
  const auto object = FlatObject::parse(*json);
  if (!object) return std::nullopt;
  const std::string* alg = object->text("alg");
  if (alg == nullptr || *alg != "HS256") return std::nullopt;
  const std::string* type = object->text("typ");
  if (object->has("typ") && (type == nullptr || *type != "JWT")) return std::nullopt;
  if (object->has("crit")) return std::nullopt;  // RFC 7515 4.1.11: extensions we do not know
  Header header;
  if (object->has("kid")) {
    const std::string* id = object->text("kid");
    if (id == nullptr) return std::nullopt;
    header.key_id = *id;
  }
  return header;
}

Result<SignedClaims> TokenCodec::read_claims(std::string_view encoded) const {
  const auto json = decode_base64url(encoded);
  if (!json) return invalid();
  const auto object = FlatObject::parse(*json);
  if (!object) return invalid();
  const auto equals = [&](std::string_view name, const std::string& expected) {
    const std::string* text = object->text(name);
    return text != nullptr && *text == expected;
  };
  if (!equals("iss", issuer_) || !equals("aud", audience_)) return invalid();

  const std::string* subject = object->text("sub");
  const auto type = type_of(object->text("type"));
  const std::string* token_id = object->text("jti");
  const std::string* family = object->text("sid");
  const std::int64_t* issued = object->integer("iat");
  const std::int64_t* not_before = object->integer("nbf");
  const std::int64_t* expires = object->integer("exp");
  if (subject == nullptr || !is_client_id(*subject) || !type || !is_id(token_id) ||
      !is_id(family)) {
    return invalid();
  }
  if (issued == nullptr || not_before == nullptr || expires == nullptr) return invalid();
  // Times outside this range can only be nonsense, and would overflow when a leeway is added.
  constexpr std::int64_t kLatest = 253402300799;  // the year 9999
  for (const std::int64_t time : {*issued, *not_before, *expires}) {
    if (time < 0 || time > kLatest) return invalid();
  }
  SignedClaims out;
  out.claims = {.client_id = *subject,
                .family = *family,
                .token_id = *token_id,
                .type = *type,
                .device_name = {},
                .device_type = {},
                .issued_at = *issued,
                .expires_at = *expires};
  out.not_before = *not_before;
  if (!optional_text(*object, "device_name", out.claims.device_name) ||
      !optional_text(*object, "device_type", out.claims.device_type)) {
    return invalid();
  }
  return out;
}

}  // namespace tars::auth
