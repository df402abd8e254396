// Brings weights into the data folder.
#pragma once

#include <filesystem>
#include <string>

#include "app/models/download.h"
#include "base/error.h"
#include "config/settings.h"
#include "llm/llama/gguf_check.h"

namespace tars::app {

struct PullRequest {
  std::string source;  // http(s)://… or a file
  std::string name = {};    // of the file in models/; empty = the source's
  std::string sha256 = {};  // 64 hex digits; empty = not checked
  bool replace = false;     // a model of that name
};

struct PulledModel {
  std::filesystem::path path;
  llm::ModelSummary summary;
  std::string sha256;
  bool was_there = false;  // with the hash that was asked for: nothing was done
};

// Into `models` of the data folder, under its name only once it is whole, has the hash and is a
// GGUF that can be read. A download that was interrupted goes on at the next call for the same
// source and name. One at a time in a folder. config_error: the request, the address, a wrong hash
// or no GGUF (nothing of it is kept then); io_error: the disk; backend_unavailable: interrupted.
Result<PulledModel> pull_model(const config::Settings& settings, const PullRequest& request,
                               const DownloadOptions& options, const OnProgress& on_progress);

}  // namespace tars::app
