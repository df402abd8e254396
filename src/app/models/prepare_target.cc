#include "app/models/prepare_target.h"

#include <string>
#include <system_error>

#include "llm/llama/prepare_model.h"

namespace tars::app {
namespace {

namespace fs = std::filesystem;

bool is_same_file(const fs::path& a, const fs::path& b) {
  std::error_code error;
  return fs::equivalent(a, b, error) && !error;
}

}  // namespace

Result<void> check_prepare_target(const fs::path& in, const fs::path& out, bool replace) {
  // The result grows under the second name before it is moved to the first.
  const fs::path growing = out.string() + llm::kPreparing;
  if (is_same_file(in, out) || is_same_file(in, growing)) {
    return make_error(ErrorCode::config_error, "OUT " + out.string() +
                                                   " would overwrite IN, the same file as " +
                                                   in.string() + ": name another OUT");
  }
  std::error_code error;
  if (fs::is_directory(out, error)) {
    return make_error(ErrorCode::config_error,
                      "OUT " + out.string() + " is a folder: name a file in it");
  }
  if (fs::exists(out, error) && !fs::is_regular_file(out, error)) {
    return make_error(ErrorCode::config_error,
                      "OUT " + out.string() + " is no regular file: name another OUT");
  }
  const fs::path folder = out.has_parent_path() ? out.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, error)) {
    return make_error(ErrorCode::config_error, "OUT " + out.string() + ": there is no folder " +
                                                   folder.string() + "; make it first");
  }
  // A link that leads nowhere is something, too.
  if (replace || !fs::exists(fs::symlink_status(out, error))) return {};
  return make_error(
      ErrorCode::config_error,
      "OUT " + out.string() + " is there already: name another OUT, or replace it with --force");
}

}  // namespace tars::app
