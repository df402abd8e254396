#include "app/folder_owner.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace tars::app {

Result<void> check_owner(const std::filesystem::path& folder) {
  struct stat status{};
  if (::geteuid() != 0 || ::stat(folder.c_str(), &status) != 0 || status.st_uid == 0) return {};
  const passwd* entry = ::getpwuid(status.st_uid);
  const std::string user = entry != nullptr ? entry->pw_name : "#" + std::to_string(status.st_uid);
  return make_error(ErrorCode::config_error,
                    folder.string() + " belongs to the user " + user +
                        ", and root would leave files there that it cannot use: run sudo -u '" +
                        user + "' env TARS_DATA_DIR='" + folder.string() + "' tars …");
}

std::optional<std::string> open_folder_warning(const std::filesystem::path& folder) {
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return std::nullopt;
  // The sticky bit keeps what is there from others, and lets them add what is not.
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return std::nullopt;
  return "other users may write into the data folder " + folder.string() +
         " and so take the server over: chmod 700 '" + folder.string() + "'";
}

}  // namespace tars::app
