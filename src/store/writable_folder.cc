#include "store/writable_folder.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

namespace tars::store {
namespace {

std::error_code last_error() { return {errno, std::generic_category()}; }

// The kernel's own trees, where root may write by the mode and yet nobody can make a file.
bool is_made_of_the_kernel(const std::filesystem::path& folder) {
  struct statfs system{};
  if (::statfs(folder.c_str(), &system) != 0) return false;
  return system.f_type == PROC_SUPER_MAGIC || system.f_type == SYSFS_MAGIC;
}

}  // namespace

std::error_code check_writable_folder(const std::filesystem::path& folder) {
  std::filesystem::path nearest = folder.empty() ? "." : folder;
  struct stat status{};
  // A link that leads nowhere is something: no folder can be made under its name.
  while (::lstat(nearest.c_str(), &status) != 0) {
    if (errno != ENOENT) return last_error();
    const std::filesystem::path parent = nearest.parent_path();
    nearest = parent.empty() ? "." : parent;
  }
  if (::stat(nearest.c_str(), &status) != 0) return last_error();
  if (!S_ISDIR(status.st_mode)) return std::make_error_code(std::errc::not_a_directory);
  if (::access(nearest.c_str(), W_OK | X_OK) != 0) return last_error();
  if (is_made_of_the_kernel(nearest)) {
    return std::make_error_code(std::errc::operation_not_permitted);
  }
  return {};
}

Error unusable_file(const std::filesystem::path& file, int error) {
  return make_error(ErrorCode::config_error,
                    file.string() + " cannot be opened (" + std::generic_category().message(error) +
                        "): give what is in the folder to its user (sudo chown -R), or set "
                        "TARS_DATA_DIR to another folder");
}

}  // namespace tars::store
