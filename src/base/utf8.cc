#include "base/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace tars {
namespace {

enum class State { whole, partial, bad };

struct Step {
  State state;
  std::size_t length;  // bytes of the character, or of the maximal ill-formed subsequence
};

// Looks at the first character of non-empty `s` (Unicode 15, table 3-7).
Step first_character(std::string_view s) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(s[i]); };
  const std::uint8_t lead = at(0);
  if (lead < 0x80) return {State::whole, 1};
  if (lead < 0xC2 || lead > 0xF4) return {State::bad, 1};
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xBF;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= s.size()) return {State::partial, i};
    if (at(i) < low || at(i) > high) return {State::bad, i};
    low = 0x80;
    high = 0xBF;
  }
  return {State::whole, length};
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  // Most text is ASCII, which is valid eight characters at a time.
  std::uint64_t eight = 0;
  for (; text.size() >= sizeof eight; text.remove_prefix(sizeof eight)) {
    std::memcpy(&eight, text.data(), sizeof eight);
    if ((eight & 0x8080808080808080) != 0) break;
  }
  return count_code_points(text).has_value();
}

std::optional<std::size_t> count_code_points(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    const Step step = first_character(text);
    if (step.state != State::whole) return std::nullopt;
    text.remove_prefix(step.length);
    ++count;
  }
  return count;
}

std::size_t complete_utf8_prefix(std::string_view text) {
  // A character is at most 4 bytes: only the last three can begin one that is not whole yet.
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    if (continues_utf8_character(text[text.size() - back])) continue;
    const bool partial = first_character(text.substr(text.size() - back)).state == State::partial;
    return partial ? text.size() - back : text.size();
  }
  return text.size();
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Step step = first_character(text);
    if (step.state == State::whole) {
      out += text.substr(0, step.length);
    } else {
      out += "\xEF\xBF\xBD";
    }
    text.remove_prefix(step.length);
  }
  return out;
}

namespace {

// How many bytes the control character at the front takes; 0 = there is none.
std::size_t control_size(std::string_view text) {
  const auto byte = [text](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  if (byte(0) < 0x20 || byte(0) == 0x7F) return 1;
  if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) <= 0x9F) return 2;
  if (byte(0) != 0xE2) return 0;
  const bool separates_or_turns = byte(1) == 0x80 && byte(2) >= 0xA8 && byte(2) <= 0xAE;
  const bool isolates = byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;
  return separates_or_turns || isolates ? 3 : 0;
}

}  // namespace

bool has_control_characters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (control_size(text.substr(i)) > 0) return true;
  }
  return false;
}

std::string replace_control_characters(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t control = control_size(text);
    out += control > 0 ? ' ' : text.front();
    text.remove_prefix(std::max<std::size_t>(control, 1));
  }
  return out;
}

}  // namespace tars
