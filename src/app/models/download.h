// Fetches one file over HTTP and goes on where it was interrupted.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "net/client/http_client.h"
#include "net/client/web_url.h"

namespace tars::app {

struct DownloadOptions {
  net::ClientOptions client = {};
  std::chrono::milliseconds answer_timeout{std::chrono::seconds{30}};
  std::chrono::milliseconds idle_timeout{std::chrono::seconds{30}};  // without a byte
  // A server that sends less for this long is given up for now; so are tries that bring less.
  std::uint64_t least_bytes_per_second = 1024;
  std::chrono::milliseconds slow_for{std::chrono::seconds{60}};
  // A whole answer that does not begin so is refused, and takes the place of nothing.
  std::string begins_with = {};
  // A hash will tell whether the file is the right one, so that what an earlier call left may be
  // gone on from although the server named no version of it.
  bool is_checked = false;
  // Of the disk, where the server does not say how much will come.
  std::uint64_t keep_free = 512'000'000;
  int tries = 5;  // in a row that bring next to nothing; then it is given up for now
  std::chrono::milliseconds pause{std::chrono::seconds{1}};  // before the next try
};

struct Progress {
  std::uint64_t bytes = 0;             // there, earlier calls' included
  std::optional<std::uint64_t> total;  // none: the server does not say
};
using OnProgress = std::function<void(const Progress&)>;

// Where the state of an unfinished download is noted: beside `file`.
std::filesystem::path download_note(const std::filesystem::path& file);

// Appends to `file` until it is whole. What an earlier call for the same URL left there is asked
// for no more, provided that the server still has the same file (RFC 9110: Range with If-Range),
// or named no version and the result is checked.
// Until an answer with the whole of another one has come that begins as a file must, that stays.
// Follows at most 10 redirects; never from https to http. Blocks. Whatever ends it, what has come
// stays, and so does the note, which tells the next call where it is from.
// config_error: the address or the server's answer will not do; io_error: the disk;
// backend_unavailable: interrupted, try again.
Result<void> download(const net::WebUrl& url, const std::filesystem::path& file,
                      const DownloadOptions& options, const OnProgress& on_progress);

}  // namespace tars::app
