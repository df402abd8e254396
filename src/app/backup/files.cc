#include "app/backup/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "base/descriptor.h"
#include "base/durable_file.h"

namespace tars::app {
namespace {

constexpr std::size_t kPiece = 1024 * 1024;

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
  std::vector<char> piece(kPiece);
  while (true) {
    const ssize_t n = ::read(in.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(from, "read");
    if (n == 0) break;
    if (!write_all(out, {piece.data(), static_cast<std::size_t>(n)})) {
      return failed(to, "written");
    }
  }
  if (::fsync(out.get()) != 0) return failed(to, "written");
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
