// What has to be known to go on with an unfinished download.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tars::app {

struct DownloadNote {
  std::string url;
  std::string validator =
      {};  // a strong ETag or a date, for If-Range; empty = the server gave none
  std::optional<std::uint64_t> total = {};
};

std::string format_download_note(const DownloadNote& note);
// nullopt for anything that is no note: then the download begins anew.
std::optional<DownloadNote> parse_download_note(std::string_view text);

// Of a file that is not there or no note: nullopt.
std::optional<DownloadNote> read_download_note(const std::filesystem::path& path);
// io_error when it cannot be written.
Result<void> write_download_note(const std::filesystem::path& path, const DownloadNote& note);

}  // namespace tars::app
