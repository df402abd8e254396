// What the command line asks for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/values.h"

namespace tars::cli {

enum class Verb { serve, config_check, config_doc, config_env, version, model_prepare, help };

struct Command {
  Verb verb = Verb::serve;  // also when none is given
  std::vector<config::Assignment> flags;
  std::optional<std::string> env_file;
  // model prepare
  std::string input;
  std::string output;
  std::string format;
  // help: the text to show
  std::string text;
};

// `arguments` without the program's name. config_error of one line for an unknown verb or option,
// with the nearest known one, and for a missing value. Values are not looked into here.
Result<Command> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace tars::cli
