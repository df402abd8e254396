#include "llm/remote/text_mender.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "base/utf8.h"

namespace tars::llm {
namespace {

constexpr std::size_t kHalf = 3;    // bytes of a surrogate
constexpr std::size_t kEscape = 6;  // characters of \uD83D
constexpr std::uint32_t kHigh = 0xD800;
constexpr std::uint32_t kLow = 0xDC00;
constexpr std::uint32_t kBehind = 0xE000;

bool is_high(std::uint32_t unit) { return unit >= kHigh && unit < kLow; }
bool is_low(std::uint32_t unit) { return unit >= kLow && unit < kBehind; }

// The surrogate that `text` begins with; 0 = none.
std::uint32_t surrogate_in(std::string_view text) {
  if (text.size() < kHalf || text[0] != '\xED') return 0;
  const auto second = static_cast<std::uint8_t>(text[1]);
  const auto third = static_cast<std::uint8_t>(text[2]);
  if (second < 0xA0 || second > 0xBF || (third & 0xC0U) != 0x80) return 0;
  return 0xD000U | (second & 0x3FU) << 6U | (third & 0x3FU);
}

void append_byte(std::string& out, std::uint32_t byte) { out += static_cast<char>(byte); }

void append_half(std::string& out, std::uint32_t unit) {
  append_byte(out, 0xE0U | unit >> 12U);
  append_byte(out, 0x80U | (unit >> 6U & 0x3FU));
  append_byte(out, 0x80U | (unit & 0x3FU));
}

void append_pair(std::string& out, std::uint32_t high, std::uint32_t low) {
  const std::uint32_t code = 0x10000 + ((high - kHigh) << 10U) + (low - kLow);
  append_byte(out, 0xF0U | code >> 18U);
  append_byte(out, 0x80U | (code >> 12U & 0x3FU));
  append_byte(out, 0x80U | (code >> 6U & 0x3FU));
  append_byte(out, 0x80U | (code & 0x3FU));
}

std::string mended(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::uint32_t unit = surrogate_in(text);
    if (unit == 0) {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(kHalf);
    const std::uint32_t next = surrogate_in(text);
    if (is_high(unit) && is_low(next)) {
      append_pair(out, unit, next);
      text.remove_prefix(kHalf);
    } else {
      out += "\xEF\xBF\xBD";
    }
  }
  return replace_invalid_utf8(out);
}

// The code unit that `text` begins with as \uXXXX.
std::optional<std::uint32_t> escaped_unit(std::string_view text) {
  if (text.size() < kEscape || !text.starts_with("\\u")) return std::nullopt;
  std::uint32_t unit = 0;
  const char* const end = text.data() + kEscape;
  const auto parsed = std::from_chars(text.data() + 2, end, unit, 16);
  if (parsed.ptr != end) return std::nullopt;
  return unit;
}

}  // namespace

std::string_view TextMender::push(std::string_view piece) {
  if (held_.empty() && is_valid_utf8(piece)) return piece;
  held_ += piece;
  std::size_t whole = complete_utf8_prefix(held_);
  if (whole >= kHalf && is_high(surrogate_in(std::string_view(held_).substr(whole - kHalf, kHalf))))
    whole -= kHalf;
  out_ = mended(std::string_view(held_).substr(0, whole));
  held_.erase(0, whole);
  return out_;
}

std::string_view TextMender::finish() {
  out_ = mended(held_);
  held_.clear();
  return out_;
}

std::string raw_surrogates(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    std::size_t taken = std::min<std::size_t>(json.front() == '\\' ? 2 : 1, json.size());
    if (const auto unit = escaped_unit(json)) {
      const auto next = escaped_unit(json.substr(kEscape)).value_or(0);
      const bool pair = is_high(*unit) && is_low(next);
      taken = pair ? 2 * kEscape : kEscape;
      if (!pair && (is_high(*unit) || is_low(*unit))) {
        append_half(out, *unit);
        json.remove_prefix(taken);
        continue;
      }
    }
    out += json.substr(0, taken);
    json.remove_prefix(taken);
  }
  return out;
}

}  // namespace tars::llm
