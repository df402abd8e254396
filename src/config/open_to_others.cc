#include "config/open_to_others.h"

#include <sys/statvfs.h>

#include <system_error>

namespace tars::config {
namespace {

bool others_may(std::filesystem::perms what, const std::filesystem::path& path) {
  std::error_code error;
  const auto mode = std::filesystem::status(path, error).permissions();
  return !error && (mode & what) == what;
}

bool others_may_read(const std::filesystem::path& file) {
  using std::filesystem::perms;
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(file, error);
  if (error || !is_regular_file(real, error) || !others_may(perms::others_read, real)) return false;
  for (auto folder = real.parent_path(); folder != folder.root_path();
       folder = folder.parent_path()) {
    if (!others_may(perms::others_exec, folder)) return false;
  }
  return true;
}

// Where a container engine or a cluster lays secrets: readable for all within, and with a mode that
// cannot be changed there.
bool is_handed_in(const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::canonical(file, error).native().starts_with("/run/secrets/")) return true;
  struct statvfs status{};
  return ::statvfs(file.c_str(), &status) == 0 && (status.f_flag & ST_RDONLY) != 0;
}

}  // namespace

bool is_open_to_others(const std::filesystem::path& file) {
  return others_may_read(file) && !is_handed_in(file);
}

}  // namespace tars::config
