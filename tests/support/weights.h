// The model that tests run on.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace tars {

// TARS_TEST_MODEL, or what the scripts prepared in the cache folder. Empty, with a test failure
// that says what to do, when it is not there.
inline std::filesystem::path test_model() {
  const auto variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  std::filesystem::path path = variable("TARS_TEST_MODEL");
  if (path.empty()) {
    std::filesystem::path cache = variable("TARS_CACHE_DIR");
    if (cache.empty()) {
      const std::filesystem::path base = variable("XDG_CACHE_HOME");
      cache = (base.empty() ? std::filesystem::path(variable("HOME")) / ".cache" : base) / "tars";
    }
    path = cache / "models/chat.gguf";
  }
  if (std::filesystem::exists(path)) return path;
  ADD_FAILURE() << path << " is not there: run ./scripts/run once, which fetches the weights, or "
                << "name a GGUF file in TARS_TEST_MODEL";
  return {};
}

}  // namespace tars
