#include "store/file_place.h"

#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace tars::store {

FilePlace::FilePlace(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return;
  path_ = path;
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

Result<void> FilePlace::check() const {
  if (path_.empty()) return {};
  struct stat status{};
  const bool found = ::stat(path_.c_str(), &status) == 0;
  if (found && status.st_dev == device_ && status.st_ino == inode_) return {};
  const std::string why = found ? "another file is there" : std::generic_category().message(errno);
  return make_error(ErrorCode::store_unavailable,
                    "the database was moved or deleted while it is open: " + path_.string() + " (" +
                        why + "); put it back, or start the server anew");
}

}  // namespace tars::store
