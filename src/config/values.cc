#include "config/values.h"

#include <algorithm>
#include <stdexcept>

#include "config/dotenv.h"
#include "config/merge.h"
#include "config/scalar.h"

namespace tars::config {
namespace {

const Option& known(std::string_view name, std::initializer_list<Kind> kinds) {
  const Option* option = find_option(name);
  if (option == nullptr || option->name != name ||
      (kinds.size() > 0 && std::ranges::find(kinds, option->kind) == kinds.end())) {
    throw std::logic_error("no option of that name and type: " + std::string(name));
  }
  return *option;
}

}  // namespace

Result<Values> Values::merge(const Sources& sources) {
  Values values;
  for (const Assignment& assignment : sources.environment) {
    if (assignment.first == "HOME") values.home_ = assignment.second;
    if (assignment.first == "XDG_CACHE_HOME") values.xdg_cache_home_ = assignment.second;
  }
  Merge merge(values.home_);
  if (auto read = merge.add_dotenv(sources.dotenv_path, sources.dotenv_text); !read)
    return read.error();
  if (auto read = merge.add_environment(sources.environment); !read) return read.error();
  if (auto read = merge.add_flags(sources.flags); !read) return read.error();
  Result<std::vector<Chosen>> chosen = merge.finish();
  if (!chosen) return chosen.error();
  for (Chosen& one : *chosen) {
    const bool needs_home = one.option->kind == Kind::path && one.setting.value.starts_with("~/");
    if (needs_home && values.home_.empty()) {
      return make_error(ErrorCode::config_error,
                        std::string(one.option->name) + std::string(kNoHome));
    }
    values.settings_.emplace(one.option->name, std::move(one.setting));
  }
  values.warnings_ = merge.warnings();
  return values;
}

const Setting& Values::setting(std::string_view name) const {
  return settings_.at(known(name, {}).name);
}

bool Values::is_set(std::string_view name) const { return !setting(name).value.empty(); }

bool Values::is_given(std::string_view name) const {
  return setting(name).origin != kDefaultOrigin;
}

const std::string& Values::text(std::string_view name) const { return setting(name).value; }

std::int64_t Values::integer(std::string_view name) const {
  known(name, {Kind::integer});
  return parse_integer(text(name)).value_or(0);
}

double Values::number(std::string_view name) const {
  known(name, {Kind::number});
  return parse_number(text(name)).value_or(0);
}

bool Values::boolean(std::string_view name) const {
  known(name, {Kind::boolean});
  return parse_boolean(text(name)).value_or(false);
}

std::vector<std::string> Values::list(std::string_view name) const {
  known(name, {Kind::list});
  return split_list(text(name));
}

std::pair<int, int> Values::pair(std::string_view name) const {
  known(name, {Kind::pair});
  const std::vector<std::string> parts = split_list(text(name));
  const auto part = [&](std::size_t i) {
    return static_cast<int>(parse_integer(parts.at(i)).value_or(0));
  };
  return {part(0), part(1)};
}

std::optional<WallTime> Values::time(std::string_view name) const {
  known(name, {Kind::time});
  return parse_time(text(name));
}

std::filesystem::path Values::path(std::string_view name) const {
  known(name, {Kind::path});
  const std::string& value = text(name);
  return value.starts_with("~/") ? home_ / value.substr(2) : std::filesystem::path(value);
}

std::filesystem::path Values::cache_home() const {
  if (!xdg_cache_home_.empty()) return xdg_cache_home_;
  return home_.empty() ? home_ : home_ / ".cache";
}

}  // namespace tars::config
