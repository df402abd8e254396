#include "llm/llama/llama_log.h"

#include <llama.h>

#include <mutex>
#include <string_view>

#include "base/utf8.h"
#include "telemetry/log.h"

namespace tars::llm {
namespace {

std::mutex mutex;
std::string last_error;

std::string one_line(std::string_view text) {
  std::string line(text.substr(0, 300));
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
  return replace_control_characters(line);
}

void on_line(ggml_log_level level, const char* text, void* /*user*/) {
  if (level != GGML_LOG_LEVEL_WARN && level != GGML_LOG_LEVEL_ERROR) return;
  const std::string line = one_line(text);
  if (line.empty()) return;
  telemetry::log(telemetry::LogLevel::debug, "llama.cpp", {{"message", line}});
  if (level != GGML_LOG_LEVEL_ERROR) return;
  const std::lock_guard lock(mutex);
  last_error = line;
}

}  // namespace

void route_llama_log() {
  static std::once_flag once;
  std::call_once(once, [] { llama_log_set(on_line, nullptr); });
}

std::string last_llama_error() {
  const std::lock_guard lock(mutex);
  return last_error;
}

}  // namespace tars::llm
