#include <algorithm>
#include <array>
#include <cctype>

#include "telemetry/log.h"

namespace tars::telemetry {
namespace {

constexpr std::string_view kDelimiters = "?&;#";
constexpr int kEncodings = 3;  // as often as something on the way may have encoded it again

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

bool is_secret(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kSecret = {
      "token", "access_token", "refresh_token", "enrollment_key", "api_key"};
  return std::ranges::find(kSecret, decoded_lower(name)) != kSecret.end();
}

// Somewhere in it three parts of base64url, the first of them the beginning of a JSON object
// (RFC 7519).
bool has_jwt(std::string_view text) {
  constexpr std::string_view kBase64Url =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=";
  for (std::size_t at = text.find("eyJ"); at != std::string_view::npos;
       at = text.find("eyJ", at + 1)) {
    const std::string_view rest = text.substr(at);
    const std::string_view run = rest.substr(0, rest.find_first_not_of(kBase64Url));
    if (std::ranges::count(run, '.') >= 2) return true;
  }
  return false;
}

// "chat?token=…", as of a whole address that was percent-encoded.
bool names_secret(std::string_view text) {
  while (true) {
    const std::size_t end = text.find_first_of(kDelimiters);
    const std::string_view part = text.substr(0, end);
    const std::size_t equals = part.find('=');
    if (equals != std::string_view::npos && is_secret(part.substr(0, equals))) return true;
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
}

// A path with each segment that holds a token blotted out.
void append_path(std::string& out, std::string_view path) {
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    std::string text(segment);
    for (int i = 0; i < kEncodings && text.find('%') != std::string::npos; ++i)
      text = decoded(text);
    out += has_jwt(text) || names_secret(text) ? std::string_view("[redacted]") : segment;
    if (end < path.size()) out += '/';
    path.remove_prefix(std::min(end + 1, path.size()));
  }
}

}  // namespace

std::string redact_url(std::string_view url) {
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
