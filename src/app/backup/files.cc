#include "app/backup/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "base/descriptor.h"
#include "base/durable_file.h"

namespace tars::app {
namespace {

Error failed(const std::filesystem::path& path, const char* verb) {
  const int error = errno;
  return make_error(ErrorCode::io_error, path.string() + " cannot be " + verb + ": " +
                                             std::generic_category().message(error) +
                                             (error == ENOSPC ? "; free some space" : ""));
}

int create(const std::filesystem::path& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

}  // namespace

Result<void> make_private_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0) return failed(folder, "made");
  return {};
}

Result<void> write_private_file(const std::filesystem::path& path, std::string_view text) {
  const Descriptor out(create(path));
  if (!out.is_open() || !write_all(out, text) || ::fsync(out.get()) != 0) {
    return failed(path, "written");
  }
  return {};
}

Result<void> copy_private_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  const Descriptor in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in.is_open()) return failed(from, "read");
  const Descriptor out(create(to));
  if (!out.is_open()) return failed(to, "written");
  bool written = true;
  const bool copied = read_pieces(in, [&](std::string_view piece) {
    written = write_all(out, piece);
    return written;
  });
  if (written && !copied) return failed(from, "read");
  if (!written || ::fsync(out.get()) != 0) return failed(to, "written");
  return {};
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  if (!flush_folder(folder)) return failed(folder, "written");
  return {};
}

Result<void> rename_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (!rename_and_flush(from, to)) return failed(to, "written");
  return {};
}

}  // namespace tars::app
