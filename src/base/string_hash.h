// Looking a string_view up in a map of strings without making a string of it.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace tars {

// For std::unordered_map<std::string, T, StringHash, std::equal_to<>>.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

}  // namespace tars
