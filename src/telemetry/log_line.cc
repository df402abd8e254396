#include "telemetry/log_line.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <array>
#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace tars::telemetry {
namespace {

namespace json = boost::json;

struct LevelName {
  std::string_view text;
  std::string_view json;
};

LevelName level_name(LogLevel level) {
  static constexpr std::array<LevelName, 5> kNames{{{"TRACE", "trace"},
                                                    {"DEBUG", "debug"},
                                                    {"INFO", "info"},
                                                    {"WARNING", "warning"},
                                                    {"ERROR", "error"}}};
  return kNames.at(static_cast<std::size_t>(level));
}

json::value to_json(const Field& field) {
  return std::visit(
      [](auto v) -> json::value {
        using T = decltype(v);
        if constexpr (std::is_same_v<T, std::string_view>) {
          return json::value(json::string(replace_invalid_utf8(v)));
        } else if constexpr (std::is_same_v<T, double>) {
          // JSON has no NaN and no infinity.
          return std::isfinite(v) ? json::value(v) : json::value(nullptr);
        } else {
          return json::value(v);
        }
      },
      field.value);
}

// Bare where nothing in it could be taken for structure, else as a JSON string.
std::string text_value(std::string_view value) {
  constexpr std::string_view kBare =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/+@-?&%~,()[]*#";
  if (!value.empty() && value.find_first_not_of(kBare) == std::string_view::npos) {
    return std::string(value);
  }
  // JSON escapes C0; what else a terminal would obey becomes a blank.
  return replace_control_characters(json::serialize(json::string(replace_invalid_utf8(value))));
}

std::string text_field(const Field& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) return text_value(*text);
  if (const auto* number = std::get_if<double>(&field.value)) {
    // Shorter than JSON's 1.5E0, which is for machines.
    std::array<char, 32> out{};
    const auto end = std::to_chars(out.data(), out.data() + out.size(), *number).ptr;
    return {out.data(), end};
  }
  return json::serialize(to_json(field));
}

// The event is a literal of ours, but a line break in it must not forge a line either.
std::string one_line(std::string_view event) {
  return replace_control_characters(replace_invalid_utf8(event));
}

}  // namespace

std::string format_log_line(LogFormat format, WallTime time, LogLevel level, std::string_view event,
                            std::span<const Field> fields) {
  if (format == LogFormat::json) {
    json::object line;
    line["time"] = format_rfc3339(time);
    line["level"] = json::string_view(level_name(level).json);
    line["event"] = json::string(replace_invalid_utf8(event));
    // A field named like one of ours does not overwrite it.
    for (const Field& field : fields) line.emplace(field.key, to_json(field));
    return json::serialize(line);
  }
  std::string line = format_rfc3339(time);
  line += ' ';
  line += level_name(level).text;
  line += ' ';
  line += one_line(event);
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    line += text_field(field);
  }
  return line;
}

}  // namespace tars::telemetry
