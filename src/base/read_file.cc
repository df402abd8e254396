#include "base/read_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/descriptor.h"

namespace tars {
namespace {

Error io_error(std::string cause) { return make_error(ErrorCode::io_error, std::move(cause)); }

Error last_error() { return io_error(std::generic_category().message(errno)); }

// Has it a name that others may open? (The end of a shell's own pipe means what it says.)
bool is_named_pipe(const Descriptor& file, const struct stat& status) {
  struct statfs system{};
  return S_ISFIFO(status.st_mode) && ::fstatfs(file.get(), &system) == 0 &&
         system.f_type != PIPEFS_MAGIC;
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& file, std::size_t max_bytes) {
  // Opening a pipe would else wait for its writer.
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!in.is_open() || ::fstat(in.get(), &status) != 0) return last_error();
  if (S_ISDIR(status.st_mode)) return io_error("it is a folder");
  std::array<char, 16384> buffer{};
  std::string out;
  while (out.size() < max_bytes) {
    const std::size_t room = std::min(buffer.size(), max_bytes - out.size());
    const ssize_t n = ::read(in.get(), buffer.data(), room);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {  // it has a writer, who will come to an end
      if (::fcntl(in.get(), F_SETFL, 0) != 0) return last_error();
      continue;
    }
    if (n < 0) return last_error();
    if (n > 0) {
      out.append(buffer.data(), static_cast<std::size_t>(n));
      continue;
    }
    if (out.empty() && is_named_pipe(in, status)) {
      return io_error("it is no regular file but a pipe, and nobody writes to it");
    }
    break;
  }
  return out;
}

std::string_view other_than_file(const std::filesystem::path& file) {
  std::error_code missing;
  const auto status = std::filesystem::status(file, missing);
  if (!exists(status) || is_regular_file(status)) return {};
  return is_directory(status) ? "a folder" : "no regular file";
}

}  // namespace tars
