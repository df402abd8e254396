#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "store/database.h"
#include "store/writable_folder.h"

namespace tars::store {

namespace {

constexpr const char* kLockFile = "tars.lock";
constexpr std::chrono::milliseconds kTryAgain{20};

Error unwritable(const std::filesystem::path& folder, int error) {
  return make_error(ErrorCode::config_error,
                    "the data folder " + folder.string() + " cannot be written (" +
                        std::generic_category().message(error) +
                        "): make it writable, or set TARS_DATA_DIR to another folder");
}

// Only the folder itself is private; missing parents are made as the user's umask has it.
Result<void> make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (folder.has_parent_path()) {
    std::filesystem::create_directories(folder.parent_path(), error);
    if (error) return unwritable(folder, error.value());
  }
  if (::mkdir(folder.c_str(), 0700) == 0) return {};
  if (errno != EEXIST) return unwritable(folder, errno);
  if (!std::filesystem::is_directory(folder, error)) return unwritable(folder, ENOTDIR);
  return {};
}

}  // namespace

Result<FolderLock> FolderLock::acquire(const std::filesystem::path& folder,
                                       std::chrono::milliseconds patience) {
  if (auto made = make_folder(folder); !made) return made.error();
  // Also where the lock file of an earlier run exists, the folder must take new files.
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return unwritable(folder, errno);
  const auto path = folder / kLockFile;
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.is_open()) return unusable_file(path, errno);
  Descriptor itself(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto give_up = std::chrono::steady_clock::now() + patience;
  // flock goes with the open file: it ends with the process however that ends.
  while (true) {
    const bool has_file = ::flock(file.get(), LOCK_EX | LOCK_NB) == 0;
    if (!has_file && errno != EWOULDBLOCK) return unwritable(folder, errno);
    // A file system that locks no folders (NFS) leaves the file.
    if (has_file && (::flock(itself.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)) {
      return FolderLock(std::move(file), std::move(itself));
    }
    if (std::chrono::steady_clock::now() >= give_up) {
      return make_error(ErrorCode::config_error,
                        "another T.A.R.S. uses this data folder (" + folder.string() +
                            "): end it, or set TARS_DATA_DIR to another folder");
    }
    std::this_thread::sleep_for(kTryAgain);
  }
}

Result<void> FolderLock::check(const std::filesystem::path& folder) {
  if (const std::error_code error = check_writable_folder(folder)) {
    return unwritable(folder, error.value());
  }
  const auto path = folder / kLockFile;
  const Descriptor there(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!there.is_open() && errno != ENOENT) return unusable_file(path, errno);
  return {};
}

}  // namespace tars::store
