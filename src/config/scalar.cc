#include "config/scalar.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

namespace tars::config {
namespace {

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

template <class Number>
std::optional<Number> parse_whole(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Calls `visit` with each part between separators until it answers false.
template <class Visit>
void for_each_part(std::string_view text, char separator, Visit visit) {
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (!visit(text.substr(0, end)) || end == text.size()) return;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  return parse_whole<std::int64_t>(text);
}

std::optional<double> parse_number(std::string_view text) {
  const std::optional<double> value = parse_whole<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<WallTime> parse_time(std::string_view text) {
  constexpr std::size_t kDate = std::string_view("2026-12-31").size();
  std::string full(text);
  if (text.size() == kDate) full.append("T00:00:00Z");
  const Result<WallTime> time = parse_rfc3339(full);
  if (!time) return std::nullopt;
  return *time;
}

std::optional<bool> parse_boolean(std::string_view text) {
  static constexpr std::array<std::string_view, 4> kTrue = {"true", "1", "yes", "on"};
  static constexpr std::array<std::string_view, 4> kFalse = {"false", "0", "no", "off"};
  const auto is = [&](std::string_view word) { return equal_ignoring_case(word, text); };
  if (std::ranges::any_of(kTrue, is)) return true;
  if (std::ranges::any_of(kFalse, is)) return false;
  return std::nullopt;
}

std::optional<std::string_view> find_choice(std::string_view choices, std::string_view text) {
  std::optional<std::string_view> found;
  for_each_part(choices, '|', [&](std::string_view choice) {
    if (equal_ignoring_case(choice, text)) found = choice;
    return !found;
  });
  return found;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  for_each_part(text, ',', [&](std::string_view part) {
    part = trim(part);
    if (!part.empty()) out.emplace_back(part);
    return true;
  });
  return out;
}

}  // namespace tars::config
