// Puts the sources on top of each other and finds what contradicts.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "config/values.h"

namespace tars::config {

// What an error says of a path in ~/ when there is no home folder.
inline constexpr std::string_view kNoHome =
    " begins with ~/ but HOME is not set; set it to a whole path";

struct Chosen {
  const Option* option;
  Setting setting;
};

// Used once: the sources in rising order of weight, then finish(). Every error is a config_error of
// one line for the operator.
class Merge {
 public:
  // `home` takes the place of ~ in NAME_FILE; it may be empty.
  explicit Merge(std::filesystem::path home) : home_(std::move(home)) {}
  // A relative path in the text counts from the folder of `path`.
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
  Result<Setting> choose(const Option& option);
  Result<const Given*> choose_name(const Option& option) const;
  Result<Given> read_secret_file(const Option& option, const Given& file);

  const std::filesystem::path home_;
  std::map<std::string, Given, std::less<>> given_;  // by name as given: option, alias or NAME_FILE
  std::vector<std::string> warnings_;
};

}  // namespace tars::config
