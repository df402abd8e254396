#include "base/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/descriptor.h"

namespace tars {

bool flush_file(const std::filesystem::path& file) {
  const Descriptor open(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  return open.is_open() && ::fsync(open.get()) == 0;
}

bool flush_folder(const std::filesystem::path& folder) {
  const Descriptor open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open.is_open()) return false;
  return ::fsync(open.get()) == 0 || errno == EINVAL || errno == ENOTSUP;
}

bool rename_and_flush(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return false;
  return flush_folder(to.has_parent_path() ? to.parent_path() : ".");
}

}  // namespace tars
