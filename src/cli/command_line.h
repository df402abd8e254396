// What the command line asks for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/values.h"

namespace tars::cli {

enum class Verb {
  serve,
  token,
  devices_list,
  devices_revoke,
  model_list,
  model_pull,
  model_prepare,
  backup,
  restore,
  config_check,
  config_doc,
  config_env,
  version,
  help,
};

struct Command {
  Verb verb = Verb::serve;  // also when none is given
  std::vector<config::Assignment> flags;
  std::optional<std::string> env_file;
  bool json = false;   // an answer for programs
  bool force = false;  // replace what is there
  // token; devices list takes client_id, too
  std::string client_id;
  std::string device_name;
  std::string device_type;
  // devices revoke
  std::string sid;
  // What is read: a GGUF, a URL, a backup; and what is written: a GGUF, a backup.
  std::string input;
  std::string output;
  // model prepare
  std::string format;
  // model pull
  std::string name;
  std::string sha256;
  // help: the text to show
  std::string text;
};

// `arguments` without the program's name. config_error of one line for an unknown verb or option,
// with the nearest known one, and for a missing value. Values are not looked into here.
Result<Command> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace tars::cli
