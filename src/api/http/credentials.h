// Where a request carries its token, and which subprotocol a socket speaks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/http.h"

namespace tars::api {

inline constexpr std::string_view kSubprotocol = "tars.v1";

// The token of `Authorization: Bearer <token>` (RFC 6750 section 2.1; the scheme compares without
// case). nullopt when there is no such header or another scheme.
std::optional<std::string_view> bearer_token(const net::HttpRequest& request);

struct SocketCredentials {
  std::string token;        // empty: none was sent, or it was no base64url
  bool sent = false;        // something was sent where a token goes
  std::string subprotocol;  // to echo: tars.v1 or nothing
};

// Of several, the first of header, subprotocol, query counts. In a subprotocol the token is
// base64url without padding, which no subprotocol may carry (RFC 6455 section 4.1).
SocketCredentials socket_credentials(const net::HttpRequest& request);

// Whether the body is said to be in a content coding (RFC 9110 section 8.4): none is taken off.
bool has_encoded_body(const net::HttpRequest& request);

// 415 when a media type is declared that is not JSON; an absent one passes.
Result<void> check_json_content_type(const net::HttpRequest& request);
// What is said of a body of another type, or of none where one is needed.
Error json_expected();

}  // namespace tars::api
