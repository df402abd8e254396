#include "config/kept_secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/descriptor.h"
#include "base/durable_file.h"
#include "base/ids.h"

namespace tars::config {
namespace {

Error failed(const std::filesystem::path& file, std::string_view what, std::string_view fix) {
  return make_error(ErrorCode::config_error, "TARS_DATA_DIR: " + file.string() + " " +
                                                 std::string(what) + "; " + std::string(fix));
}

Error failed_errno(const std::filesystem::path& file, std::string_view verb) {
  return failed(file, "cannot be " + std::string(verb) + " (" + std::strerror(errno) + ")",
                "make it accessible for this user, or set TARS_DATA_DIR to another folder");
}

Result<std::string> read_secret(const std::filesystem::path& file, int fd, std::size_t bytes,
                                std::string_view loss) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return failed_errno(file, "read");
  if (!S_ISREG(status.st_mode)) {
    return failed(
        file, S_ISDIR(status.st_mode) ? "is a folder" : "is no regular file",
        "put the secret's file in its place, or remove it to make a new one, " + std::string(loss));
  }
  if ((status.st_mode & 077) != 0) {
    return failed(file, "can be read by other users", "run chmod 600 on it");
  }
  std::array<char, 4096> buffer{};
  const ssize_t n = ::read(fd, buffer.data(), buffer.size());
  if (n < 0) return failed_errno(file, "read");
  std::string value(buffer.data(), static_cast<std::size_t>(n));
  // What editors put behind a secret is no part of it.
  while (value.ends_with('\n') || value.ends_with('\r')) value.pop_back();
  if (value.size() < bytes * 2) {
    return failed(file, "is damaged: the secret is too short",
                  "restore it, or remove it to make a new one, " + std::string(loss));
  }
  return value;
}

// Written beside it and then renamed, so that a crash leaves the whole secret or none.
Result<void> write_secret(const std::filesystem::path& file, std::string_view value) {
  const std::filesystem::path fresh = file.string() + ".new";
  {
    const Descriptor out(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!out.is_open() || !write_all(out, std::string(value) + "\n") || ::fsync(out.get()) != 0) {
      return failed_errno(file, "written");
    }
  }
  if (!rename_and_flush(fresh, file)) return failed_errno(file, "written");
  return {};
}

}  // namespace

Result<std::optional<std::string>> read_kept_secret(const std::filesystem::path& file,
                                                    std::size_t bytes, std::string_view loss) {
  // A pipe of that name must not hold this up until somebody writes into it.
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!in.is_open()) {
    if (errno != ENOENT) return failed_errno(file, "read");
    return std::optional<std::string>();
  }
  Result<std::string> value = read_secret(file, in.get(), bytes, loss);
  if (!value) return value.error();
  return std::optional(*std::move(value));
}

Result<KeptSecret> load_or_make_secret(const std::filesystem::path& file, std::size_t bytes,
                                       std::string_view loss) {
  Result<std::optional<std::string>> kept = read_kept_secret(file, bytes, loss);
  if (!kept) return kept.error();
  if (*kept) return KeptSecret{**std::move(kept), false};
  std::string value = random_hex(bytes);
  if (auto written = write_secret(file, value); !written) return written.error();
  return KeptSecret{std::move(value), true};
}

}  // namespace tars::config
