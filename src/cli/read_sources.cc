#include "cli/read_sources.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "base/read_file.h"

namespace tars::cli {
namespace {

constexpr std::size_t kMaxBytes = 1024 * 1024;

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
  Result<std::string> text = read_file(path, kMaxBytes + 1);
  if (!text) {
    return make_error(ErrorCode::config_error, path + " cannot be read (" + text.error().message +
                                                   "); make it readable or remove it");
  }
  if (text->size() > kMaxBytes) {
    return make_error(ErrorCode::config_error,
                      path + " is larger than 1 MiB; name a file of NAME=VALUE lines");
  }
  return text;
}

}  // namespace

Result<config::Sources> read_sources(const Command& command) {
  config::Sources sources;
  sources.environment = environment();
  sources.flags = command.flags;
  sources.dotenv_path = command.env_file.value_or(".env");
  // A link that leads nowhere is there: whoever made it wants its options. A folder that this user
  // may not enter, such as that of whoever called sudo, is not where its options are.
  std::error_code error;
  const auto found = std::filesystem::symlink_status(sources.dotenv_path, error);
  const bool is_there = found.type() != std::filesystem::file_type::not_found &&
                        error != std::errc::permission_denied;
  if (!command.env_file && !is_there) return sources;
  Result<std::string> text = read_text(sources.dotenv_path);
  if (!text) return text.error();
  sources.dotenv_text = *std::move(text);
  return sources;
}

}  // namespace tars::cli
