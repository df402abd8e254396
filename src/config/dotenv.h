// The format of a .env file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tars::config {

struct DotenvEntry {
  std::string name;
  std::string value;
  int line = 0;  // from 1
};

// Lines of NAME=VALUE; blank lines and lines that begin with # are skipped. An `export ` before the
// name is allowed, and blanks around name and value. Values:
//   bare       up to the line's end or a # after a blank
//   'single'   as it stands
//   "double"   with \n \t \r \" \\ and \$ as escapes
// A quoted value may be followed by a comment only and ends on its line. Nothing is expanded.
// The same name twice is an error, as is any other line: config_error with the line number, and
// never the line itself, which may hold a secret. At most 1 MiB.
Result<std::vector<DotenvEntry>> parse_dotenv(std::string_view text);

}  // namespace tars::config
