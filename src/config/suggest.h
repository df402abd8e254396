// "Did you mean": the known name nearest to a mistyped one.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace tars::config {

// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other
// (optimal string alignment; Boytsov 2011, section 2).
std::size_t edit_distance(std::string_view a, std::string_view b);

// How many edits a typing error may be: a third of the name, at most three.
std::size_t likely_distance(std::string_view name);

// The option or alias nearest to `name`, when at most `max_distance` edits away.
std::optional<std::string_view> nearest_option(std::string_view name, std::size_t max_distance);

}  // namespace tars::config
