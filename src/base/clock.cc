#include "base/clock.h"

#include <array>
#include <optional>

namespace tars {

WallTime SystemClock::wall() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() const { return std::chrono::steady_clock::now(); }

namespace {

void put_digits(std::string& out, std::size_t pos, std::size_t width, unsigned value) {
  for (std::size_t i = pos + width; i > pos; value /= 10) {
    out[--i] = static_cast<char>('0' + value % 10);
  }
}

}  // namespace

// By hand, not snprintf(): every token carries one.
void append_rfc3339(std::string& out, WallTime t) {
  using namespace std::chrono;
  const auto day = floor<days>(t);
  const year_month_day date{day};
  const hh_mm_ss time{t - day};
  const std::size_t at = out.size();
  out += "0000-00-00T00:00:00.000000Z";
  put_digits(out, at, 4, static_cast<unsigned>(int(date.year())));
  put_digits(out, at + 5, 2, unsigned(date.month()));
  put_digits(out, at + 8, 2, unsigned(date.day()));
  put_digits(out, at + 11, 2, static_cast<unsigned>(time.hours().count()));
  put_digits(out, at + 14, 2, static_cast<unsigned>(time.minutes().count()));
  put_digits(out, at + 17, 2, static_cast<unsigned>(time.seconds().count()));
  put_digits(out, at + 20, 6, static_cast<unsigned>(time.subseconds().count()));
}

std::string format_rfc3339(WallTime t) {
  std::string out;
  append_rfc3339(out, t);
  return out;
}

namespace {

// Reads exactly `width` digits at `pos`; -1 when they are not all digits.
int digits(std::string_view text, std::size_t pos, std::size_t width) {
  if (pos + width > text.size()) return -1;
  int value = 0;
  for (const char c : text.substr(pos, width)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

// Takes `.` and its digits from the front, if they are there. nullopt: a point without a digit.
std::optional<std::chrono::microseconds> microseconds_of(std::string_view& rest) {
  if (!rest.starts_with('.')) return std::chrono::microseconds{0};
  rest.remove_prefix(1);
  int value = 0;
  std::size_t count = 0;
  for (; !rest.empty() && digits(rest, 0, 1) >= 0; rest.remove_prefix(1), ++count) {
    if (count < 6) value = value * 10 + digits(rest, 0, 1);
  }
  if (count == 0) return std::nullopt;
  for (; count < 6; ++count) value *= 10;
  return std::chrono::microseconds{value};
}

// What is left of a time: `Z`, or how far it is ahead of UTC.
std::optional<std::chrono::minutes> offset_of(std::string_view rest) {
  if (rest == "Z" || rest == "z") return std::chrono::minutes{0};
  if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':') return std::nullopt;
  const int hours = digits(rest, 1, 2);
  const int minutes = digits(rest, 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  const std::chrono::minutes ahead{hours * 60 + minutes};
  return rest[0] == '-' ? -ahead : ahead;
}

}  // namespace

Result<WallTime> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto bad = [] {
    return make_error(ErrorCode::invalid_request,
                      "not an RFC 3339 time such as 2026-11-24T16:10:00Z");
  };
  const std::array<int, 6> part = {digits(text, 0, 4),  digits(text, 5, 2),  digits(text, 8, 2),
                                   digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2)};
  for (const int p : part) {
    if (p < 0) return bad();
  }
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
      text[16] != ':') {
    return bad();
  }
  const year_month_day date{year{part[0]}, month{unsigned(part[1])}, day{unsigned(part[2])}};
  if (!date.ok() || part[3] > 23 || part[4] > 59 || part[5] > 59) return bad();
  std::string_view rest = text.substr(19);
  const auto fraction = microseconds_of(rest);
  if (!fraction) return bad();
  const auto offset = offset_of(rest);
  if (!offset) return bad();
  return WallTime{sys_days{date}} + hours{part[3]} + minutes{part[4]} + seconds{part[5]} +
         *fraction - *offset;
}

std::int64_t unix_seconds(WallTime t) {
  return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
}

}  // namespace tars
