#include "telemetry/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/dist_sink.h>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "telemetry/file_sink.h"
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

std::atomic<std::uint64_t> g_lost{0};

// What a sink itself has to say.
std::string own_words(LogLevel level, std::string_view event, const Field& field) {
  return format_log_line(g_format.load(std::memory_order_relaxed), SystemClock{}.wall(), level,
                         event, std::span(&field, 1));
}
std::string own_line(LogLevel level, std::string_view event, const Field& field) {
  return own_words(level, event, field) + '\n';
}

spdlog::sink_ptr make_stderr_sink() {
  auto sink = std::make_shared<StderrSink>(
      STDERR_FILENO,
      [](std::uint64_t lines) {
        return own_line(LogLevel::warning, "log lines were lost: nobody read them in time",
                        {"lines", lines});
      },
      [] { g_lost.fetch_add(1, std::memory_order_relaxed); });
  sink->set_pattern("%v");  // log_line.cc writes the whole line
  return sink;
}

// Of one log file: counts the lines that it loses, and says on stderr when that begins, then once a
// minute while it goes on; but not where stderr is a file on the same disk, which may hang with it,
// and then whoever writes to it. Thread-safe.
class LossReport {
 public:
  explicit LossReport(const std::filesystem::path& log_file)
      : stderr_(is_file_beside(STDERR_FILENO, log_file) ? nullptr : make_stderr_sink()) {}

  void note(std::uint64_t lines, std::string_view cause) {
    g_lost.fetch_add(lines, std::memory_order_relaxed);
    if (!stderr_ || !is_time()) return;
    const std::string words =
        own_words(LogLevel::error, "the log file loses lines", {"cause", cause});
    stderr_->log({"tars", spdlog::level::err, words});
  }

 private:
  bool is_time() {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    if (now < next_) return false;
    next_ = now + std::chrono::minutes(1);
    return true;
  }

  const spdlog::sink_ptr stderr_;  // null: it is left alone
  std::mutex mutex_;
  std::chrono::steady_clock::time_point next_{};
};

// Where lines go; spdlog's lock allows the one sink in it to be exchanged at any time.
const std::shared_ptr<spdlog::sinks::dist_sink_mt>& outlet() {
  static const auto the_outlet = std::make_shared<spdlog::sinks::dist_sink_mt>(
      std::vector<spdlog::sink_ptr>{make_stderr_sink()});
  return the_outlet;
}

std::mutex g_file_mutex;
std::shared_ptr<FileSink> g_file;  // empty = stderr

// The one process-wide object: a line must reach stderr from anywhere, also before options are
// read.
spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> the_logger = [] {
    auto made = std::make_shared<spdlog::logger>("tars", outlet());
    made->set_pattern("%v");
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
  logger();  // sets the pattern that the new sink takes over
  auto report = std::make_shared<LossReport>(path);
  auto file = FileSink::open(path, own_line, [report](std::uint64_t lines, std::string_view cause) {
    report->note(lines, cause);
  });
  if (!file) {
    return make_error(ErrorCode::config_error,
                      "LOG_FILE: " + path.string() + " cannot be written (" + file.error().message +
                          "); make it writable, or unset LOG_FILE for stderr");
  }
  (*file)->set_pattern("%v");
  const std::lock_guard lock(g_file_mutex);
  outlet()->set_sinks({*file});
  g_file = *std::move(file);
  return {};
}

void close_log_file() {
  auto to_stderr = make_stderr_sink();
  const std::lock_guard lock(g_file_mutex);
  outlet()->set_sinks({std::move(to_stderr)});
  g_file.reset();
}

void reopen_log_file() {
  const std::lock_guard lock(g_file_mutex);
  if (g_file) g_file->reopen();
}

void wait_for_log_file(std::chrono::milliseconds patience) {
  std::shared_ptr<FileSink> file;
  {
    const std::lock_guard lock(g_file_mutex);
    file = g_file;
  }
  if (file) file->wait_until_written(patience);
}

std::uint64_t lost_log_lines() { return g_lost.load(std::memory_order_relaxed); }

bool log_enabled(LogLevel level) { return logger().should_log(to_spdlog(level)); }

void log(LogLevel level, std::string_view event, std::initializer_list<Field> fields) {
  if (!log_enabled(level)) return;
  const std::string line =
      format_log_line(g_format.load(std::memory_order_relaxed), SystemClock{}.wall(), level, event,
                      std::span<const Field>(fields.begin(), fields.size()));
  logger().log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace tars::telemetry
