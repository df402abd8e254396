#include "api/http/credentials.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cctype>

namespace tars::api {
namespace {

constexpr std::string_view kBearerSubprotocol = "base64url.bearer.authorization.k8s.io.";
constexpr std::size_t kMaxTokenText = 16 * 1024;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

bool is_base64url(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
  });
}

}  // namespace

std::optional<std::string_view> bearer_token(const net::HttpRequest& request) {
  const auto header = request.header("Authorization");
  if (!header) return std::nullopt;
  const std::string_view text = trimmed(*header);
  const std::size_t space = text.find(' ');
  if (!equals_ignoring_case(text.substr(0, space), "bearer")) return std::nullopt;
  return space == text.npos ? std::string_view{} : trimmed(text.substr(space));
}

std::optional<std::string> decode_base64url(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.empty() || text.size() > kMaxTokenText || text.size() % 4 == 1 || !is_base64url(text)) {
    return std::nullopt;
  }
  std::string padded(text);
  std::replace(padded.begin(), padded.end(), '-', '+');
  std::replace(padded.begin(), padded.end(), '_', '/');
  const std::size_t padding = (4 - padded.size() % 4) % 4;
  padded.append(padding, '=');
  std::string out(padded.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(padded.data()),
                                   static_cast<int>(padded.size()));
  if (size < 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

SocketCredentials socket_credentials(const net::HttpRequest& request) {
  SocketCredentials found;
  std::optional<std::string> offered;  // the token among the subprotocols; empty when malformed
  for (const auto& [name, value] : request.headers) {
    if (!equals_ignoring_case(name, "Sec-WebSocket-Protocol")) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      const std::string_view item = trimmed(rest.substr(0, comma));
      rest = comma == rest.npos ? std::string_view{} : rest.substr(comma + 1);
      if (item == kSubprotocol) found.subprotocol = kSubprotocol;
      if (!offered && item.starts_with(kBearerSubprotocol)) {
        offered = decode_base64url(item.substr(kBearerSubprotocol.size())).value_or("");
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

Result<void> check_json_content_type(const net::HttpRequest& request) {
  const auto header = request.header("Content-Type");
  if (!header) return {};
  const std::string_view type = trimmed(header->substr(0, header->find(';')));
  const bool suffix =
      type.size() > 5 && equals_ignoring_case(type.substr(type.size() - 5), "+json");
  if (equals_ignoring_case(type, "application/json") || suffix) return {};
  return make_error(ErrorCode::unsupported_media_type,
                    "Send the body with Content-Type: application/json");
}

}  // namespace tars::api
