// Whether an open file is still the one that its path names.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "base/error.h"

namespace tars::store {

// Remembers which file a path names now. A value that never changes: any thread may copy and check
// it. check() is one stat().
class FilePlace {
 public:
  // For what is no file, such as ":memory:", check() finds nothing wrong.
  FilePlace() = default;
  explicit FilePlace(const std::filesystem::path& path);

  // store_unavailable when the file was moved, deleted or replaced since: what is written to it
  // then is lost to everyone who opens the path.
  Result<void> check() const;

 private:
  std::filesystem::path path_;  // empty = none
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace tars::store
