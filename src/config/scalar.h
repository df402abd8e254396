// Reading single values: numbers, booleans, choices, comma-separated lists.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace tars::config {

// ASCII letters only.
bool equal_ignoring_case(std::string_view a, std::string_view b);
// The whole text as a decimal number; nullopt also for one that does not fit, and for NaN and
// infinity.
std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<double> parse_number(std::string_view text);
// true, 1, yes, on · false, 0, no, off; without regard to case.
std::optional<bool> parse_boolean(std::string_view text);
// An RFC 3339 time, or a date: its first moment in UTC.
std::optional<WallTime> parse_time(std::string_view text);
// Which of `choices` (separated by |) the text is, without regard to case, spelled as in `choices`.
std::optional<std::string_view> find_choice(std::string_view choices, std::string_view text);
// Between commas, blanks around cut off, empty ones left out.
std::vector<std::string> split_list(std::string_view text);

}  // namespace tars::config
