#include "app/find_model.h"

namespace tars::app {
namespace {

Error no_model(const std::string& problem, const std::string& fix) {
  return make_error(ErrorCode::config_error, "MODEL_PATH: " + problem + "; " + fix);
}

Error unreachable(const std::filesystem::path& named, std::error_code why) {
  const bool is_closed = why == std::errc::permission_denied;
  return make_error(ErrorCode::config_error,
                    "MODEL_PATH: " + named.string() + " cannot be reached (" + why.message() +
                        (is_closed ? "): let this user enter each folder above it (chmod o+x), or "
                                     "put the file elsewhere"
                                   : "): give another path"));
}

bool is_file(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

}  // namespace

Result<std::filesystem::path> find_model(const config::Settings& settings) {
  const std::filesystem::path& named = settings.llm.model_path;
  if (!named.empty()) {
    if (is_file(named)) return named;
    std::error_code error;
    const bool exists = std::filesystem::exists(named, error);
    if (error) return unreachable(named, error);
    return no_model(exists ? named.string() + " is no file" : "there is no file " + named.string(),
                    "set it to a GGUF file; tars model list shows those that are there");
  }
  std::string looked;
  for (const std::filesystem::path& candidate : settings.model_candidates) {
    if (is_file(candidate)) return candidate;
    looked += (looked.empty() ? "" : " and no ") + candidate.string();
  }
  return no_model("it is not set, and there is no " + looked,
                  "run ./scripts/run, which fetches a model, or set MODEL_PATH to a GGUF file");
}

}  // namespace tars::app
