#include "cli/read_sources.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace tars::cli {
namespace {

std::vector<config::Assignment> environment() {
  std::vector<config::Assignment> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return out;
}

Result<std::string> read_text(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  if (in) out << in.rdbuf();
  if (!in.is_open() || in.bad() || std::filesystem::is_directory(path)) {
    return make_error(ErrorCode::config_error,
                      path + " cannot be read (" +
                          std::generic_category().message(errno != 0 ? errno : EISDIR) +
                          "); make it readable or remove it");
  }
  return out.str();
}

}  // namespace

Result<config::Sources> read_sources(const Command& command) {
  config::Sources sources;
  sources.environment = environment();
  sources.flags = command.flags;
  sources.dotenv_path = command.env_file.value_or(".env");
  std::error_code error;
  if (!command.env_file && !std::filesystem::exists(sources.dotenv_path, error)) return sources;
  Result<std::string> text = read_text(sources.dotenv_path);
  if (!text) return text.error();
  sources.dotenv_text = *std::move(text);
  return sources;
}

}  // namespace tars::cli
