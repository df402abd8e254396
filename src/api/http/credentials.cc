#include "api/http/credentials.h"

#include <algorithm>

#include "auth/base64url.h"
#include "net/message/ascii.h"

namespace tars::api {
namespace {

constexpr std::string_view kBearerSubprotocol = "base64url.bearer.authorization.k8s.io.";

}  // namespace

std::optional<std::string_view> bearer_token(const net::HttpRequest& request) {
  // Of two, a proxy may have looked at the other one.
  if (net::header_count(request.headers, "Authorization") > 1) return std::string_view{};
  const auto header = request.header("Authorization");
  if (!header) return std::nullopt;
  const std::string_view text = net::trimmed(*header);
  const std::size_t space = text.find(' ');
  if (!net::equals_ignoring_case(text.substr(0, space), "bearer")) return std::nullopt;
  return space == text.npos ? std::string_view{} : net::trimmed(text.substr(space));
}

SocketCredentials socket_credentials(const net::HttpRequest& request) {
  SocketCredentials found;
  std::optional<std::string> offered;  // the token among the subprotocols; empty when malformed
  for (const auto& [name, value] : request.headers) {
    if (!net::equals_ignoring_case(name, "Sec-WebSocket-Protocol")) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      const std::string_view item = net::trimmed(rest.substr(0, comma));
      rest = comma == rest.npos ? std::string_view{} : rest.substr(comma + 1);
      if (item == kSubprotocol) found.subprotocol = kSubprotocol;
      if (!offered && item.starts_with(kBearerSubprotocol)) {
        offered = auth::decode_base64url(item.substr(kBearerSubprotocol.size())).value_or("");
      }
    }
  }
  if (const auto bearer = bearer_token(request)) {
    found.token = *bearer;
    found.sent = true;
  } else if (offered) {
    found.token = std::move(*offered);
    found.sent = true;
  } else if (const auto query = request.query_param("token")) {
    found.token = *query;
    found.sent = !query->empty();
  }
  return found;
}

bool has_encoded_body(const net::HttpRequest& request) {
  if (request.body.empty()) return false;
  return std::ranges::any_of(request.headers, [](const auto& header) {
    if (!net::equals_ignoring_case(header.first, "Content-Encoding")) return false;
    const std::string_view coding = net::trimmed(header.second);
    return !coding.empty() && !net::equals_ignoring_case(coding, "identity");
  });
}

Result<void> check_json_content_type(const net::HttpRequest& request) {
  const auto header = request.header("Content-Type");
  if (!header) return {};
  const std::string_view type = net::trimmed(header->substr(0, header->find(';')));
  const bool suffix =
      type.size() > 5 && net::equals_ignoring_case(type.substr(type.size() - 5), "+json");
  if (net::equals_ignoring_case(type, "application/json") || suffix) return {};
  return json_expected();
}

Error json_expected() {
  return make_error(ErrorCode::unsupported_media_type,
                    "Send the body with Content-Type: application/json");
}

}  // namespace tars::api
