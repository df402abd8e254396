// Puts the sources on top of each other and finds what contradicts.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/values.h"

namespace tars::config {

struct Chosen {
  const Option* option;
  Setting setting;
};

// Used once: the sources in rising order of weight, then finish(). Every error is a config_error of
// one line for the operator.
class Merge {
 public:
  Result<void> add_dotenv(std::string_view path, std::string_view text);
  Result<void> add_environment(const std::vector<Assignment>& environment);
  Result<void> add_flags(const std::vector<Assignment>& flags);
  // One for every option of the table. Reads the files behind NAME_FILE.
  Result<std::vector<Chosen>> finish();
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  // Where a value stands; of several the last of these counts.
  enum class Source { dotenv, environment, flag };
  struct Given {
    std::string value;
    std::string origin;
    Source source = Source::dotenv;
  };
  void give(std::string_view name, std::string_view value, std::string origin, Source source);
  const Given* given(std::string_view name) const;
  Result<Setting> choose(const Option& option) const;
  Result<const Given*> choose_name(const Option& option) const;
  Result<Given> read_secret_file(const Option& option, const Given& file) const;

  std::map<std::string, Given, std::less<>> given_;  // by name as given: option, alias or NAME_FILE
  std::vector<std::string> warnings_;
};

}  // namespace tars::config
