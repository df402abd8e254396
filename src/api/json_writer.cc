#include "api/json_writer.h"

#include <boost/json/serializer.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace tars::api {
namespace {

// Whether one of eight characters is a control character, a quote or a backslash (H. S. Warren,
// Hacker's Delight, 6-1). One by one they were the dearest part of a frame.
bool has_special(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  const auto with_zero = [](std::uint64_t v) { return (v - kOnes) & ~v & kHighs; };
  const std::uint64_t control = (eight - kOnes * 0x20) & ~eight & kHighs;
  return (control | with_zero(eight ^ (kOnes * '"')) | with_zero(eight ^ (kOnes * '\\'))) != 0;
}

bool has_special(std::string_view text) {
  std::uint64_t eight = 0;
  for (; text.size() >= sizeof eight; text.remove_prefix(sizeof eight)) {
    std::memcpy(&eight, text.data(), sizeof eight);
    if (has_special(eight)) return true;
  }
  eight = 0x2020202020202020;
  if (!text.empty()) std::memcpy(&eight, text.data(), text.size());
  return has_special(eight);
}

}  // namespace

JsonWriter& JsonWriter::begin_object() {
  comma();
  out_ += '{';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::begin_object(std::string_view name) {
  key(name);
  out_ += '{';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  out_ += '}';
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::begin_array(std::string_view name) {
  key(name);
  out_ += '[';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  out_ += ']';
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::field(std::string_view name, std::string_view value) {
  key(name);
  append_string(out_, value);
  return *this;
}

JsonWriter& JsonWriter::item(std::string_view value) {
  comma();
  append_string(out_, value);
  return *this;
}

JsonWriter& JsonWriter::field(std::string_view name, std::nullptr_t) {
  return number(name, "null");
}

JsonWriter& JsonWriter::field(std::string_view name, bool value) {
  return number(name, value ? "true" : "false");
}

JsonWriter& JsonWriter::field(std::string_view name, double value) {
  const double rounded = std::isfinite(value) ? std::round(value * 1000) / 1000 : 0;
  std::array<char, 400> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), rounded,
                                 std::chars_format::fixed);
  return number(name,
                std::string_view(digits.data(), static_cast<std::size_t>(end.ptr - digits.data())));
}

void JsonWriter::comma() {
  if (comma_) out_ += ',';
  comma_ = true;
}

// Names are the program's own words: nothing in them is to be escaped.
void JsonWriter::key(std::string_view name) {
  out_ += comma_ ? ",\"" : "\"";
  comma_ = true;
  out_ += name;
  out_ += "\":";
}

void JsonWriter::append_string(std::string& out, std::string_view text) {
  if (!has_special(text)) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  boost::json::serializer serializer;
  serializer.reset(boost::json::string_view(text.data(), text.size()));
  std::array<char, 1024> buffer{};
  while (!serializer.done()) out += serializer.read(buffer.data(), buffer.size());
}

void JsonWriter::append_number(std::string& out, std::size_t number) {
  std::array<char, std::numeric_limits<std::size_t>::digits10 + 1> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end.ptr);
}

JsonWriter& JsonWriter::number(std::string_view name, std::string_view digits) {
  key(name);
  out_ += digits;
  return *this;
}

}  // namespace tars::api
