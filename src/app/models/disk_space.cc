#include "app/models/disk_space.h"

#include <system_error>

namespace tars::app {

std::string megabytes(std::uint64_t bytes) { return std::to_string(bytes / 1'000'000) + " MB"; }

Result<void> check_disk_space(const std::filesystem::path& file, std::uint64_t bytes) {
  std::error_code error;
  const auto space = std::filesystem::space(file.parent_path(), error);
  if (error || bytes <= space.available) return {};
  return make_error(ErrorCode::io_error, "disk full: " + file.string() + " needs " +
                                             megabytes(bytes) + " and there are " +
                                             megabytes(space.available) +
                                             " free; free some space, then the same command goes "
                                             "on");
}

}  // namespace tars::app
