#include "app/models/content_range.h"

#include <charconv>

namespace tars::app {

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = stopped == text.data() + text.size();
  if (text.empty() || error != std::errc() || !whole) return std::nullopt;
  return value;
}

std::optional<ContentRange> parse_content_range(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  const auto slash = text.rfind('/');
  if (!text.starts_with(kUnit) || slash == text.npos) return std::nullopt;
  const std::string_view range = text.substr(kUnit.size(), slash - kUnit.size());
  const std::string_view whole = text.substr(slash + 1);
  ContentRange out;
  out.total = parse_decimal(whole);
  if (!out.total && whole != "*") return std::nullopt;
  if (range == "*") return out.total ? std::optional(out) : std::nullopt;
  const auto dash = range.find('-');
  if (dash == range.npos) return std::nullopt;
  out.first = parse_decimal(range.substr(0, dash));
  const auto last = parse_decimal(range.substr(dash + 1));
  if (!out.first || !last || *last < *out.first) return std::nullopt;
  if (out.total && *last >= *out.total) return std::nullopt;
  return out;
}

}  // namespace tars::app
