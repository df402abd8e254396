#include "base/clock.h"

#include <array>
#include <charconv>

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

}  // namespace

Result<WallTime> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto bad = [&] {
    return make_error(ErrorCode::invalid_request,
                      "not an RFC 3339 time in UTC such as 2026-11-24T16:10:00Z");
  };
  const std::array<int, 6> part = {digits(text, 0, 4),  digits(text, 5, 2),  digits(text, 8, 2),
                                   digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2)};
  for (const int p : part) {
    if (p < 0) return bad();
  }
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':' || text.back() != 'Z') {
    return bad();
  }
  const year_month_day date{year{part[0]}, month{unsigned(part[1])}, day{unsigned(part[2])}};
  if (!date.ok() || part[3] > 23 || part[4] > 59 || part[5] > 59) return bad();
  std::int64_t micros = 0;
  if (text.size() > 20) {
    const std::string_view fraction = text.substr(20, text.size() - 21);
    if (text[19] != '.' || fraction.empty() || fraction.size() > 6) return bad();
    const int value = digits(fraction, 0, fraction.size());
    if (value < 0) return bad();
    micros = value;
    for (std::size_t i = fraction.size(); i < 6; ++i) micros *= 10;
  }
  return WallTime{sys_days{date}} + hours{part[3]} + minutes{part[4]} + seconds{part[5]} +
         microseconds{micros};
}

std::int64_t unix_seconds(WallTime t) {
  return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
}

}  // namespace tars
