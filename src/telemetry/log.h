// Structured logging: text or JSON lines on stderr or in a file. No prompt text, no token, ever.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/error.h"

namespace tars::telemetry {

enum class LogLevel { trace, debug, info, warning, error };
enum class LogFormat { text, json };

// One named value of a log line.
struct Field {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, double, bool> value;
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, double v) : key(k), value(v) {}
  template <class Int>
    requires std::is_integral_v<Int>
  Field(std::string_view k, Int v) : key(k), value(static_cast<std::int64_t>(v)) {}
};

// Sets level and format; before it, info and text. Thread-safe, lines never interleave.
void configure_log(LogLevel level, LogFormat format);
// Lines go to this file instead of stderr from now on (telemetry/file_sink.h). While it loses
// lines, one a minute on stderr says so. config_error naming LOG_FILE when it cannot be written;
// then nothing changes. Thread-safe, as those below.
Result<void> open_log_file(const std::filesystem::path& path);
// Opens the same file anew under its name, for who renamed it (logrotate); nothing without a file.
void reopen_log_file();
// Back to stderr, once the file has its lines.
void close_log_file();
// Gives the file that time at most to take the lines that wait for it; nothing without a file.
void wait_for_log_file(std::chrono::milliseconds patience);
// Lines that neither the file nor stderr took, since the start.
std::uint64_t lost_log_lines();
bool log_enabled(LogLevel level);
// `event` is a fixed short sentence; what varies goes into fields.
void log(LogLevel level, std::string_view event, std::initializer_list<Field> fields = {});

// The value of `token=` (and access_token=, refresh_token=, enrollment_key=, api_key=) in a URL or
// query becomes `[redacted]`, and so does whatever else in it holds a JWT or such a parameter.
std::string redact_url(std::string_view url);

}  // namespace tars::telemetry
