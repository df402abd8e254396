#include "telemetry/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <memory>
#include <span>

#include "telemetry/log_line.h"

namespace tars::telemetry {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::trace: return spdlog::level::trace;
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::atomic<LogFormat> g_format{LogFormat::text};

// The one process-wide object: a line must reach stderr from anywhere, also before options are
// read.
spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> kLogger = [] {
    auto made =
        std::make_shared<spdlog::logger>("tars", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");  // log_line.cc writes the whole line
    made->set_level(spdlog::level::info);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *kLogger;
}

}  // namespace

void configure_log(LogLevel level, LogFormat format) {
  g_format.store(format, std::memory_order_relaxed);
  logger().set_level(to_spdlog(level));
}

bool log_enabled(LogLevel level) { return logger().should_log(to_spdlog(level)); }

void log(LogLevel level, std::string_view event, std::initializer_list<Field> fields) {
  if (!log_enabled(level)) return;
  const std::string line =
      format_log_line(g_format.load(std::memory_order_relaxed), SystemClock{}.wall(), level, event,
                      std::span<const Field>(fields.begin(), fields.size()));
  logger().log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace tars::telemetry
