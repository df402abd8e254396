#include "api/docs/asset.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace tars::api {

const Asset* find_asset(std::string_view name) {
  const auto all = assets();
  const auto found = std::ranges::find(all, name, &Asset::name);
  return found == all.end() ? nullptr : &*found;
}

const Asset& asset(std::string_view name) {
  const Asset* found = find_asset(name);
  if (found == nullptr) {
    throw std::logic_error("tools/pack_pages was not given " + std::string(name));
  }
  return *found;
}

}  // namespace tars::api
