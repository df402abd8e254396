#include <algorithm>
#include <array>
#include <cctype>

#include "telemetry/log.h"

namespace tars::telemetry {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// As the server will read it: percent-decoded.
std::string decoded(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    if (c == '%' && i + 2 < name.size() && hex_value(name[i + 1]) >= 0 &&
        hex_value(name[i + 2]) >= 0) {
      c = static_cast<char>(hex_value(name[i + 1]) * 16 + hex_value(name[i + 2]));
      i += 2;
    }
    out += c;
  }
  return out;
}

// Without case, to be on the safe side.
std::string decoded_lower(std::string_view name) {
  std::string out = decoded(name);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Three parts of base64url, the first of them the beginning of a JSON object (RFC 7519).
bool is_jwt(std::string_view text) {
  constexpr std::string_view kBase64Url =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=";
  return text.starts_with("eyJ") && std::ranges::count(text, '.') == 2 &&
         text.find_first_not_of(kBase64Url) == std::string_view::npos;
}

// A path with each segment that is a token blotted out.
void append_path(std::string& out, std::string_view path) {
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    out += is_jwt(decoded(segment)) ? std::string_view("[redacted]") : segment;
    if (end < path.size()) out += '/';
    path.remove_prefix(std::min(end + 1, path.size()));
  }
}

bool is_secret(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kSecret = {
      "token", "access_token", "refresh_token", "enrollment_key", "api_key"};
  return std::ranges::find(kSecret, decoded_lower(name)) != kSecret.end();
}

}  // namespace

std::string redact_url(std::string_view url) {
  constexpr std::string_view kDelimiters = "?&;#";
  std::string out;
  out.reserve(url.size());
  while (!url.empty()) {
    const std::size_t end = std::min(url.find_first_of(kDelimiters), url.size());
    const std::string_view part = url.substr(0, end);
    const std::size_t equals = part.find('=');
    if (equals != std::string_view::npos && is_secret(part.substr(0, equals))) {
      out += part.substr(0, equals + 1);
      out += "[redacted]";
    } else {
      append_path(out, part);
    }
    if (end < url.size()) out += url[end];
    url.remove_prefix(std::min(end + 1, url.size()));
  }
  return out;
}

}  // namespace tars::telemetry
