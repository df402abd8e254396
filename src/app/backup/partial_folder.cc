#include "app/backup/partial_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace tars::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kWord = "partial";

std::string prefix_of(const fs::path& target) { return target.filename().string() + "."; }

bool is_partial_of(const std::string& name, const fs::path& target) {
  const std::string prefix = prefix_of(target);
  return name.starts_with(prefix) && is_id(name.substr(prefix.size()), kWord);
}

// Ours, and no process has it. Where the file system knows no locks, what is there stays.
bool is_abandoned(const Descriptor& folder) {
  struct stat status{};
  return folder.is_open() && ::fstat(folder.get(), &status) == 0 && status.st_uid == ::geteuid() &&
         ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0;
}

Descriptor open_folder(const fs::path& path) {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

void remove_abandoned(const fs::path& target) {
  std::error_code error;
  const fs::path parent = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(parent, error)) {
    if (is_partial_of(entry.path().filename().string(), target)) found.push_back(entry.path());
  }
  for (const fs::path& path : found) {
    const Descriptor folder = open_folder(path);
    if (is_abandoned(folder)) fs::remove_all(path, error);
  }
}

// By the name that was asked for: the other one is nobody's business.
Error cannot_be_made(const fs::path& target, int error) {
  std::string why = target.string() + " cannot be made: " + std::generic_category().message(error);
  switch (error) {
    case ENOENT: why += "; make the folder that it is to lie in first"; break;
    case ENOSPC: why += "; free some space"; break;
    default: why += "; name one in a folder that this user may write"; break;
  }
  return make_error(ErrorCode::io_error, why);
}

}  // namespace

Result<PartialFolder> PartialFolder::make(const fs::path& target) {
  remove_abandoned(target);
  const fs::path path = target.parent_path() / (prefix_of(target) + make_id(kWord));
  if (::mkdir(path.c_str(), 0700) != 0) return cannot_be_made(target, errno);
  // Another backup to this name that looks right between these two lines takes it for abandoned:
  // one of the two fails then, as it would at the end, because there is one name.
  Descriptor lock = open_folder(path);
  if (lock.is_open()) (void)::flock(lock.get(), LOCK_EX | LOCK_NB);
  return PartialFolder(path, std::move(lock));
}

}  // namespace tars::app
