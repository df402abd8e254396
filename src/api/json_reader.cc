#include "api/json_reader.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/string.hpp>

#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace tars::api {
namespace {

constexpr std::size_t kMaxDepth = 32;

std::string trimmed_number(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

int hex4(std::string_view digits) {
  int value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  const bool is_whole = digits.size() == 4 && end == digits.data() + digits.size();
  return is_whole && error == std::errc() ? value : 0;
}

// What a text that was cut inside a character looks like once JavaScript has written it.
bool has_half_a_pair(std::string_view json) {
  const auto escaped = [json](std::size_t at) {
    return at + 6 <= json.size() && json.substr(at, 2) == "\\u" ? hex4(json.substr(at + 2, 4)) : 0;
  };
  for (std::size_t at = json.find('\\'); at < json.size(); at = json.find('\\', at)) {
    const int unit = escaped(at);
    const bool is_first = unit >= 0xD800 && unit < 0xDC00;
    const bool is_second = unit >= 0xDC00 && unit < 0xE000;
    const int next = is_first ? escaped(at + 6) : 0;
    const bool is_pair = next >= 0xDC00 && next < 0xE000;
    if (is_second || (is_first && !is_pair)) return true;
    at += is_pair ? 12 : 2;
  }
  return false;
}

}  // namespace

Result<void> JsonDocument::parse(std::string_view bytes) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code failure;
  value_ = boost::json::parse({bytes.data(), bytes.size()}, failure, &memory_, options);
  if (failure) {
    const std::string why = has_half_a_pair(bytes)
                                ? "half of a surrogate pair stands in it, send whole characters"
                                : failure.message();
    return Error{ErrorCode::invalid_json,
                 "This is not valid JSON: " + why,
                 {{"body", "is not valid JSON: " + why}}};
  }
  if (!value_.is_object()) {
    return Error{ErrorCode::invalid_message,
                 "A JSON object is expected: {\"field\": value, ...}",
                 {{"body", "must be a JSON object: {\"field\": value, ...}"}}};
  }
  return {};
}

const boost::json::value* FieldReader::find(std::string_view name) const {
  const boost::json::value* value = object_.if_contains({name.data(), name.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<std::string> FieldReader::checked(std::string_view name,
                                                const boost::json::value& value, Length length) {
  const boost::json::string* text = value.if_string();
  if (text == nullptr) {
    fail(name, "must be a string");
    return std::nullopt;
  }
  const std::string_view bytes(text->data(), text->size());
  const std::size_t size = count_code_points(bytes).value_or(0);
  if (size < length.min || size > length.max) {
    fail(name, "must have " + std::to_string(length.min) + " to " + std::to_string(length.max) +
                   " characters, has " + std::to_string(size));
    return std::nullopt;
  }
  return std::string(bytes);
}

std::optional<std::string> FieldReader::string(std::string_view name, Length length) {
  const boost::json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  return checked(name, *value, length);
}

std::string FieldReader::required_string(std::string_view name, Length length) {
  if (find(name) == nullptr) {
    fail(name, "is required");
    return {};
  }
  return string(name, length).value_or("");
}

std::optional<std::int64_t> FieldReader::integer(std::string_view name, std::int64_t min,
                                                 std::int64_t max) {
  const boost::json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  std::optional<std::int64_t> read;
  if (const auto* whole = value->if_int64()) read = *whole;
  if (const auto* real = value->if_double();
      real != nullptr && std::nearbyint(*real) == *real && std::abs(*real) < 9e15) {
    read = static_cast<std::int64_t>(*real);  // 5.0 is a whole number too
  }
  if (!read || *read < min || *read > max) {
    fail(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return std::nullopt;
  }
  return read;
}

std::optional<double> FieldReader::number(std::string_view name, Range range) {
  const boost::json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  std::optional<double> read;
  if (const auto* real = value->if_double()) read = *real;
  if (const auto* whole = value->if_int64()) read = static_cast<double>(*whole);
  const bool in = read && *read >= range.min && *read <= range.max;
  if (!in) {
    fail(name,
         "must be a number from " + trimmed_number(range.min) + " to " + trimmed_number(range.max));
    return std::nullopt;
  }
  return read;
}

std::optional<bool> FieldReader::boolean(std::string_view name) {
  const boost::json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (const bool* read = value->if_bool()) return *read;
  fail(name, "must be true or false");
  return std::nullopt;
}

std::vector<std::string> FieldReader::strings(std::string_view name, std::size_t most,
                                              Length length) {
  std::vector<std::string> out;
  const boost::json::value* value = find(name);
  if (value == nullptr) return out;
  const boost::json::array* items = value->if_array();
  if (items == nullptr) {
    if (!value->is_string()) {
      fail(name, "must be a string or an array of strings");
    } else if (auto one = checked(name, *value, length)) {
      out.push_back(std::move(*one));
    }
    return out;
  }
  if (items->size() > most) {
    fail(name, "must have at most " + std::to_string(most) + " items");
    return out;
  }
  for (const boost::json::value& item : *items) {
    auto one = checked(name, item, length);
    if (!one) break;
    out.push_back(std::move(*one));
  }
  return out;
}

bool FieldReader::has_object(std::string_view name) {
  const boost::json::value* value = find(name);
  if (value == nullptr) return false;
  if (!value->is_object()) fail(name, "must be an object");
  return true;
}

std::optional<std::string> FieldReader::peek(std::string_view name, std::size_t most) const {
  const boost::json::value* value = find(name);
  const boost::json::string* text = value == nullptr ? nullptr : value->if_string();
  if (text == nullptr || text->size() > most) return std::nullopt;
  return std::string(text->data(), text->size());
}

void FieldReader::fail(std::string_view name, std::string message) {
  errors_.push_back(FieldError{std::string(name), std::move(message)});
}

std::optional<Error> FieldReader::error(ErrorCode code) const {
  if (errors_.empty()) return std::nullopt;
  Error error{code, ""};
  for (const FieldError& field : errors_) {
    if (!error.message.empty()) error.message += "; ";
    error.message += field.field + " " + field.message;
  }
  error.fields = errors_;
  return error;
}

}  // namespace tars::api
