// Which part of a whole an HTTP answer holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tars::app {

struct ContentRange {
  std::optional<std::uint64_t> first;  // none: the range that was asked for is not there
  std::optional<std::uint64_t> total;  // none: the server does not know
};

// The value of a Content-Range header in bytes (RFC 9110 section 14.4): `bytes 5-9/10`, `bytes
// 5-9/*`, `bytes */10`. nullopt for anything else.
std::optional<ContentRange> parse_content_range(std::string_view text);

// A number that is nothing but digits, as Content-Length is.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

}  // namespace tars::app
