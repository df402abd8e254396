#include "telemetry/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <system_error>

#include "base/descriptor.h"
#include "telemetry/log_line.h"
#include "telemetry/stderr_sink.h"

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

spdlog::sink_ptr make_stderr_sink() {
  return std::make_shared<StderrSink>(STDERR_FILENO, [](std::uint64_t lines) {
    const Field count("lines", lines);
    return format_log_line(g_format.load(std::memory_order_relaxed), SystemClock{}.wall(),
                           LogLevel::warning, "log lines were lost: nobody read them in time",
                           std::span(&count, 1)) +
           '\n';
  });
}

// Where lines go; spdlog's lock allows the one sink in it to be exchanged at any time.
const std::shared_ptr<spdlog::sinks::dist_sink_mt>& outlet() {
  static const auto the_outlet = std::make_shared<spdlog::sinks::dist_sink_mt>(
      std::vector<spdlog::sink_ptr>{make_stderr_sink()});
  return the_outlet;
}

std::mutex g_path_mutex;
std::filesystem::path g_path;  // empty = stderr

// The one process-wide object: a line must reach stderr from anywhere, also before options are
// read.
spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> the_logger = [] {
    auto made = std::make_shared<spdlog::logger>("tars", outlet());
    made->set_pattern("%v");  // log_line.cc writes the whole line
    made->set_level(spdlog::level::info);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *the_logger;
}

}  // namespace

void configure_log(LogLevel level, LogFormat format) {
  g_format.store(format, std::memory_order_relaxed);
  logger().set_level(to_spdlog(level));
}

Result<void> open_log_file(const std::filesystem::path& path) {
  const auto refused = [&](const std::string& why) {
    return make_error(ErrorCode::config_error,
                      "LOG_FILE: " + path.string() + " cannot be written (" + why +
                          "); make it writable, or unset LOG_FILE for stderr");
  };
  // The library would make it readable for everyone, and it names clients and addresses.
  const Descriptor made(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640));
  if (!made.is_open()) return refused(std::generic_category().message(errno));
  std::lock_guard lock(g_path_mutex);
  logger();  // sets the pattern that the new sink takes over
  try {
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
    file->set_pattern("%v");
    outlet()->set_sinks({std::move(file)});
  } catch (const spdlog::spdlog_ex& error) {
    return refused(error.what());
  }
  g_path = path;
  return {};
}

void close_log_file() {
  std::lock_guard lock(g_path_mutex);
  auto to_stderr = make_stderr_sink();
  to_stderr->set_pattern("%v");
  outlet()->set_sinks({std::move(to_stderr)});
  g_path.clear();
}

void reopen_log_file() {
  std::filesystem::path path;
  {
    std::lock_guard lock(g_path_mutex);
    path = g_path;
  }
  if (path.empty()) return;
  // What cannot be opened anew goes on where it was.
  if (const Result<void> opened = open_log_file(path); !opened) {
    log(LogLevel::error, "the log file was not opened anew", {{"cause", opened.error().message}});
  }
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
