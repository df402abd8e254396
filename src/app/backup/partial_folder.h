// The folder in which a backup grows before it gets its name.
#pragma once

#include <filesystem>

#include "base/descriptor.h"
#include "base/error.h"

namespace tars::app {

// NAME.partial_<id> beside the backup NAME, mode 0700, locked while the process lives: a later
// backup to the same name sees by the lock that a process which made one was killed. One thread.
class PartialFolder {
 public:
  // Removes those of killed processes first. io_error when the folder cannot be made.
  static Result<PartialFolder> make(const std::filesystem::path& target);

  const std::filesystem::path& path() const { return path_; }

 private:
  PartialFolder(std::filesystem::path path, Descriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  Descriptor lock_;
};

}  // namespace tars::app
