// Everything the program was told, as the structs that its modules take.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "api/options.h"
#include "auth/options.h"
#include "base/error.h"
#include "chat/options.h"
#include "config/values.h"
#include "llm/options.h"
#include "llm/remote/options.h"
#include "net/server.h"
#include "telemetry/log.h"

namespace tars::config {

enum class Environment { unset, development, production };

struct Settings {
  net::ServerOptions server;
  auth::Options auth;  // secret_key and enrollment_key may be empty: see the two below
  chat::Options chat;
  llm::LlamaOptions llm;  // model_path is empty when MODEL_PATH is unset: see model_candidates
  api::Options api;
  // Which backends there are; LLM_BACKEND, the default one, is api.backend.
  bool embedded = true;
  std::optional<llm::RemoteOptions> ollama;
  std::optional<llm::RemoteOptions> openai;

  Environment environment = Environment::unset;
  std::filesystem::path data_dir;
  // Where the default model may be, best first. Used when MODEL_PATH is unset.
  std::vector<std::filesystem::path> model_candidates;
  telemetry::LogLevel log_level = telemetry::LogLevel::info;
  telemetry::LogFormat log_format = telemetry::LogFormat::text;
  std::filesystem::path log_file;  // empty = stderr
  std::string upstream_ca_file;  // PEM; trusted besides the system's certificates, for downloads
  std::chrono::seconds drain{20};
  // The start makes what is missing and keeps it in the data folder.
  bool make_secret_key = false;
  bool make_enrollment_key = false;
};

struct Loaded {
  Settings settings;
  Values values;
  std::vector<std::string> warnings;  // sentences for the log at start
};

// Reads, merges and checks everything. config_error with one line that names the option, what is
// wrong and the fix; the first problem found in the order of the sources, then of the table, then
// of checks.h. Touches the disk only to read the files behind NAME_FILE.
Result<Loaded> load(const Sources& sources);

}  // namespace tars::config
