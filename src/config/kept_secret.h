// Secrets that the program made itself and keeps in its data folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tars::config {

struct KeptSecret {
  std::string value;
  bool made_now = false;
};

// The secret in `file`; nullopt where there is none. Makes and changes nothing. config_error as
// below.
Result<std::optional<std::string>> read_kept_secret(const std::filesystem::path& file,
                                                    std::size_t bytes, std::string_view loss);

// The secret in `file`, or a new random one of `bytes` bytes as hex, written there first: mode
// 0600, on the disk (file and folder flushed) before it returns, and never half written.
// config_error when the file cannot be read or written, is readable by others, or holds less than 2
// * `bytes` characters: a damaged secret is not replaced silently, because that has a price. `loss`
// says which in the error: "which ends every token".
Result<KeptSecret> load_or_make_secret(const std::filesystem::path& file, std::size_t bytes,
                                       std::string_view loss);

}  // namespace tars::config
