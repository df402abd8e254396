// Where `tars model prepare` may write.
#pragma once

#include <filesystem>

#include "base/error.h"

namespace tars::app {

// config_error when writing `out` from `in` would lose something: the same file by whatever name or
// link, always; another one that exists, unless `replace`. Nothing is touched. Any thread.
Result<void> check_prepare_target(const std::filesystem::path& in, const std::filesystem::path& out,
                                  bool replace);

}  // namespace tars::app
