// The value of every option and where it came from, merged from all sources and checked one by one.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "config/option.h"

namespace tars::config {

// The origin of a value that no source says.
inline constexpr std::string_view kDefaultOrigin = "default";

struct Setting {
  std::string value;  // "" = unset
  std::string origin;  // for people: "default", ".env line 3", "the environment", "--tars-port"
  bool is_default = true;
};

// A value passed by hand: NAME is an option's or alias's name, or NAME_FILE of a secret.
using Assignment = std::pair<std::string, std::string>;

// What the options are read from; a later source wins over an earlier one.
struct Sources {
  std::string dotenv_path;  // for messages, and where relative paths in it count from
  std::string dotenv_text;  // "" = no file
  std::vector<Assignment> environment;  // the whole of it; what is none of ours is passed over
  std::vector<Assignment> flags;
};

// Every value in it has the form that its option asks for. Getters throw std::logic_error for a
// name or type that is not in the table: that is a fault in this program, never in its input.
class Values {
 public:
  // Reads all sources and checks each value by itself; what options mean together is for checks.h.
  // config_error with one line that names the option, what is wrong and the fix. A secret's value
  // never appears in it.
  static Result<Values> merge(const Sources& sources);

  // It has a value: a source's, or the table's default.
  bool is_set(std::string_view name) const;
  // A source says it, were it the default's own value.
  bool is_given(std::string_view name) const;
  // References live as long as these Values.
  const Setting& setting(std::string_view name) const;
  const std::string& text(std::string_view name) const;  // of any type; "" when unset
  std::int64_t integer(std::string_view name) const;  // 0 when unset or the option's keyword
  double number(std::string_view name) const;  // 0 when unset
  bool boolean(std::string_view name) const;  // false when unset
  std::vector<std::string> list(std::string_view name) const;  // empty when unset
  std::pair<int, int> pair(std::string_view name) const;  // of an option that has a default
  std::optional<WallTime> time(std::string_view name) const;  // nullopt when unset
  // ~/ is replaced by `home`; merge() made sure that there is one where it is needed. Empty when
  // unset.
  std::filesystem::path path(std::string_view name) const;
  // $XDG_CACHE_HOME, else ~/.cache; empty when neither it nor HOME is set.
  std::filesystem::path cache_home() const;

  // Sentences for the log at start: typing errors in the environment that are close to an option.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  std::unordered_map<std::string_view, Setting> settings_;  // keys live in the table
  std::filesystem::path home_;
  std::filesystem::path xdg_cache_home_;
  std::vector<std::string> warnings_;
};

// Does `value` have the form that `option` asks for? The error says what is wrong with it.
Result<void> check_value(const Option& option, std::string_view value);

}  // namespace tars::config
