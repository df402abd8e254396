#include "api/http/auth_routes.h"

#include <boost/asio/ip/address_v6.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include "api/await_result.h"
#include "api/http/credentials.h"
#include "api/http/problem.h"
#include "api/json_reader.h"
#include "base/ids.h"

namespace tars::api {
namespace {

constexpr std::size_t kMaxAddresses = 10'000;
constexpr std::size_t kMaxTokenLength = 8192;
// The body is bounded already; a key that is too long is a wrong one.
constexpr std::size_t kAnyLength = std::numeric_limits<std::size_t>::max();
constexpr std::string_view kRevoked = "Token revoked successfully";

// For the routes' docs.
constexpr std::string_view kTag = "authentication";
RouteAnswer private_answer(std::string_view description, std::string_view schema) {
  return {200, description, schema, "application/json", {"Cache-Control"}};
}

// Tokens and what is said about them stay out of caches (RFC 6749 section 5.1).
net::HttpResponse private_json(unsigned status, std::string body) {
  net::HttpResponse response = json_response(status, std::move(body));
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

net::HttpResponse pair_response(const auth::TokenPair& pair) {
  std::string body;
  body.reserve(pair.access_token.size() + pair.refresh_token.size() + 128);
  JsonWriter json(body);
  json.begin_object();
  json.field("access_token", pair.access_token);
  json.field("refresh_token", pair.refresh_token);
  json.field("token_type", "bearer");
  json.field("expires_in", pair.expires_in.count());
  json.end_object();
  return private_json(200, std::move(body));
}

net::HttpResponse message_response(std::string_view message) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("message", message).end_object();
  return private_json(200, std::move(body));
}

std::string rfc3339(std::int64_t unix_time) {
  return format_rfc3339(WallTime{std::chrono::seconds{unix_time}});
}

std::string validity(const auth::Claims* claims) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.field("valid", claims != nullptr);
  if (claims == nullptr) {
    json.field("client_id", nullptr).field("expires_at", nullptr).field("active", false);
  } else {
    json.field("client_id", claims->client_id);
    json.field("expires_at", rfc3339(claims->good_until));
    json.field("active", true);
    json.field("sub", claims->client_id);
    json.field("exp", claims->good_until);
    json.field("token_type", claims->type == auth::TokenType::access ? "access" : "refresh");
  }
  json.end_object();
  return body;
}

Error missing_token() { return make_error(ErrorCode::unauthorized, "token_missing"); }

// ?limit= 1–100 (50).
Result<std::size_t> page_limit(const net::HttpRequest& request) {
  constexpr std::size_t kDefault = 50;
  const auto text = request.query_param("limit");
  if (!text) return kDefault;
  std::size_t limit = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (failure != std::errc{} || end != text->data() + text->size() || limit < 1 || limit > 100) {
    return Error{ErrorCode::invalid_request,
                 "limit must be from 1 to 100",
                 {{"limit", "must be from 1 to 100"}}};
  }
  return limit;
}

// Whom a limit by address means. An IPv6 host has a whole /64 to choose its addresses from
// (RFC 6177), so that counts as one.
std::string limited_as(const std::string& address) {
  boost::system::error_code error;
  auto v6 = boost::asio::ip::make_address_v6(address, error);
  if (error || v6.is_v4_mapped()) return address;
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return boost::asio::ip::make_address_v6(bytes).to_string();
}

Result<void> parse_body(const net::HttpRequest& request, JsonDocument& document) {
  if (const auto type = check_json_content_type(request); !type) return type.error();
  Result<void> parsed = document.parse(request.body);
  if (parsed || parsed.error().code != ErrorCode::invalid_message) return parsed;
  Error error = std::move(parsed).error();
  error.code = ErrorCode::invalid_request;  // "message" is the socket's word
  return error;
}

}  // namespace

AuthRoutes::AuthRoutes(auth::TokenService& tokens, const Hub& hub, const Clock& clock,
                       const Options& options)
    : tokens_(tokens),
      hub_(hub),
      clock_(clock),
      patience_(options.store_patience),
      limiter_(options.auth_rate_per_minute, std::max(1, options.auth_rate_per_minute),
               kMaxAddresses, clock) {}

void AuthRoutes::add_to(RouteTable& table) {
  using enum ErrorCode;
  table.add(
      {"POST",
       "/auth/token",
       Access::open,
       "Begins a device family: an access and a refresh token",
       [this](Call& call) { return token(call); },
       {.tag = kTag,
        .description = "RATE_LIMIT_PER_MINUTE calls a minute from one address, together with "
                       "/auth/refresh. 403 where AUTH_ENROLLMENT is `closed`, or is `key` and "
                       "the key is missing or wrong.",
        .request = "TokenRequest",
        .answers = {private_answer("A pair of tokens", "TokenPair")},
        .errors = {rate_limited, forbidden, store_unavailable, overloaded, draining}}});
  table.add({"POST",
             "/auth/refresh",
             Access::open,
             "Exchanges a refresh token for a new pair",
             [this](Call& call) { return refresh(call); },
             {.tag = kTag,
              .description = "The old refresh token is spent; one that is used again revokes its "
                             "whole family, unless REFRESH_GRACE_SECONDS allow it.",
              .request = "RefreshRequest",
              .answers = {private_answer("A new pair", "TokenPair")},
              .errors = {rate_limited, unauthorized, invalid_token, token_revoked,
                         store_unavailable, overloaded, draining}}});
  table.add({"POST",
             "/auth/validate",
             Access::examined,
             "Says whether the bearer token is good, and until when",
             [this](Call& call) { return validate(call); },
             {.tag = kTag,
              .description = "A bad token is an answer, `valid: false`; none at all is 401. A good "
                             "refresh token is valid, too.",
              .answers = {private_answer("Whether it is good", "Validity")},
              .errors = {store_unavailable}}});
  table.add({"POST",
             "/auth/revoke",
             Access::bearer,
             "Ends a token, or the bearer's own",
             [this](Call& call) { return revoke(call); },
             {.tag = kTag,
              .description = "An access token ends alone, a refresh token with its family. A text "
                             "that is no token, or another client's, changes nothing and is "
                             "answered in the same way (RFC 7009).",
              .request = "RevokeRequest",
              .request_required = false,
              .answers = {private_answer("It is ended", "Message")},
              .errors = {overloaded, draining}}});
  add_devices_to(table);
}

void AuthRoutes::add_devices_to(RouteTable& table) {
  using enum ErrorCode;
  table.add({"GET",
             "/auth/devices",
             Access::bearer,
             "Lists the caller's device families",
             [this](Call& call) { return devices(call); },
             {.tag = kTag,
              .parameters = {"limit", "cursor"},
              .answers = {private_answer("A page of them", "DevicePage")},
              .errors = {invalid_request, overloaded, draining}}});
  table.add({"DELETE",
             "/auth/devices/{sid}",
             Access::bearer,
             "Revokes one of the caller's device families",
             [this](Call& call) { return remove_device(call); },
             {.tag = kTag,
              .parameters = {"sid"},
              .answers = {{204, "It is revoked", {}, {}, {"Cache-Control"}}},
              .errors = {not_found, overloaded, draining}}});
  table.add({"GET",
             "/auth/health",
             Access::open,
             "Says that the token service lives",
             [this](Call& call) { return health(call); },
             {.tag = kTag, .answers = {private_answer("It lives", "ServiceHealth")}}});
}

// One that gives up does not undo what it asked for: it may still come to be once the disk answers.
template <class T>
boost::asio::awaitable<Result<T>> AuthRoutes::stored(
    std::function<void(auth::TokenService::Callback<T>)> start) const {
  Result<T> answer = co_await await_result<T>(std::move(start), patience_);
  if (!answer && answer.error().code == ErrorCode::timeout) {
    answer = make_error(ErrorCode::store_unavailable,
                        "the disk with auth.db does not answer; try again later");
  }
  co_return answer;
}

AuthRoutes::Answer AuthRoutes::token(Call& call) {
  if (const auto permit = limiter_.take(limited_as(call.request.remote_address)); !permit)
    co_return permit.error();
  JsonDocument document;
  if (const auto parsed = parse_body(call.request, document); !parsed) co_return parsed.error();
  FieldReader fields(document.object());
  auth::EnrollRequest request;
  request.client_id = fields.required_string("client_id", {1, 128});
  request.device_name = fields.string("device_name", {0, 128}).value_or("");
  request.device_type = fields.string("device_type", {0, 128}).value_or("");
  request.enrollment_key = fields.string("enrollment_key", {0, kAnyLength});
  if (auto error = fields.error(ErrorCode::invalid_request)) co_return std::move(*error);
  Result<auth::TokenPair> pair = tokens_.enroll(request);
  if (!pair) co_return pair.error();
  co_return pair_response(*pair);
}

AuthRoutes::Answer AuthRoutes::refresh(Call& call) {
  if (const auto permit = limiter_.take(limited_as(call.request.remote_address)); !permit)
    co_return permit.error();
  JsonDocument document;
  if (const auto parsed = parse_body(call.request, document); !parsed) co_return parsed.error();
  FieldReader fields(document.object());
  std::string token = fields.required_string("refresh_token", {1, kMaxTokenLength});
  if (auto error = fields.error(ErrorCode::invalid_request)) co_return std::move(*error);
  Result<auth::TokenPair> pair = co_await stored<auth::TokenPair>(
      [this, &token](auto done) { tokens_.refresh(std::move(token), std::move(done)); });
  if (!pair) co_return pair.error();
  co_return pair_response(*pair);
}

AuthRoutes::Answer AuthRoutes::validate(Call& call) {
  const std::string_view token = call.bearer.value_or("");
  if (token.empty()) co_return missing_token();
  const Result<auth::Claims> claims = tokens_.verify_any(token);
  // A token that cannot be checked is neither good nor bad.
  if (!claims && claims.error().code == ErrorCode::store_unavailable) co_return claims.error();
  co_return private_json(200, validity(claims ? &*claims : nullptr));
}

AuthRoutes::Answer AuthRoutes::revoke(Call& call) {
  std::string token(call.bearer.value_or(""));
  if (!call.request.body.empty()) {
    JsonDocument document;
    if (const auto parsed = parse_body(call.request, document); !parsed) co_return parsed.error();
    FieldReader fields(document.object());
    // Whatever text it is: what cannot be a token of ours is gone already (RFC 7009 section 2.2).
    if (auto other = fields.string("token", {0, SIZE_MAX})) token = std::move(*other);
    if (auto error = fields.error(ErrorCode::invalid_request)) co_return std::move(*error);
    // To the service the empty one means the caller's own.
    if (token.empty()) co_return message_response(kRevoked);
  }
  const Result<void> revoked = co_await stored<void>([this, &call, &token](auto done) {
    tokens_.revoke(*call.claims, std::move(token), std::move(done));
  });
  if (!revoked) co_return revoked.error();
  co_return message_response(kRevoked);
}

AuthRoutes::Answer AuthRoutes::devices(Call& call) {
  const Result<std::size_t> limit = page_limit(call.request);
  if (!limit) co_return limit.error();
  const auto cursor = call.request.query_param("cursor");
  if (cursor && !is_id(*cursor, "fam")) {
    co_return Error{ErrorCode::invalid_request,
                    "cursor must be the next_cursor of a page",
                    {{"cursor", "must be the next_cursor of a page"}}};
  }
  auth::FamilyQuery query;
  query.client_id = call.claims->client_id;
  query.after = cursor.value_or("");
  query.limit = *limit + 1;  // one more shows that there is a next page
  Result<std::vector<auth::Device>> found = co_await stored<std::vector<auth::Device>>(
      [this, &query](auto done) { tokens_.families(std::move(query), std::move(done)); });
  if (!found) co_return found.error();
  const bool has_more = found->size() > *limit;
  if (has_more) found->resize(*limit);
  std::string body;
  JsonWriter json(body);
  json.begin_object().begin_array("items");
  for (const auth::Device& device : *found) {
    json.begin_object();
    json.field("sid", device.family);
    json.field("device_name", device.device_name);
    json.field("device_type", device.device_type);
    json.field("created_at", format_rfc3339(device.created_at));
    // Who is connected is seen now; what the store has may be a minute older than the last use.
    const std::size_t sockets = hub_.sockets_of(device.client_id, device.family);
    json.field("last_seen_at", format_rfc3339(sockets > 0 ? clock_.wall() : device.last_seen_at));
    json.field("sockets", sockets);
    json.end_object();
  }
  json.end_array();
  if (has_more) {
    json.field("next_cursor", found->back().family);
  } else {
    json.field("next_cursor", nullptr);
  }
  json.end_object();
  co_return private_json(200, std::move(body));
}

AuthRoutes::Answer AuthRoutes::remove_device(Call& call) {
  const Result<void> removed = co_await stored<void>([this, &call](auto done) {
    tokens_.revoke_device(*call.claims, call.parameter, std::move(done));
  });
  if (!removed) co_return removed.error();
  net::HttpResponse response;
  response.status = 204;
  response.headers = {{"Cache-Control", "no-store"}};
  co_return response;
}

AuthRoutes::Answer AuthRoutes::health(Call&) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.field("status", "healthy");
  json.field("service", "authentication");
  json.field("timestamp", format_rfc3339(clock_.wall()));
  json.end_object();
  co_return private_json(200, std::move(body));
}

}  // namespace tars::api
