#include "net/message/response_head.h"

#include <boost/beast/http/status.hpp>

#include <array>
#include <charconv>
#include <cstdio>

#include "net/message/ascii.h"

namespace tars::net {
namespace {

void append_number(std::string& out, std::size_t number) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

bool belongs_to_server(std::string_view name) {
  constexpr std::array<std::string_view, 6> kOwn = {
      "Content-Length", "Date", "Server", "X-Request-ID", "Connection", "Transfer-Encoding"};
  for (const auto own : kOwn) {
    if (equals_ignoring_case(name, own)) return true;
  }
  return false;
}

}  // namespace

std::string_view DateHeader::at(std::time_t now) {
  if (now == second_) return text_;
  constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   kDays.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                                   kMonths.at(static_cast<std::size_t>(utc.tm_mon)),
                                   utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  text_.assign(text.data(), static_cast<std::size_t>(length));
  second_ = now;
  return text_;
}

bool status_has_body(unsigned status) { return status >= 200 && status != 204 && status != 304; }

std::size_t append_response_head(std::string& out, const HttpResponse& response,
                                 const ResponseContext& context) {
  out.append("HTTP/1.1 ");
  append_number(out, response.status);
  const auto known = boost::beast::http::int_to_status(response.status);
  const auto reason = known == boost::beast::http::status::unknown
                          ? boost::beast::string_view("Unknown")
                          : boost::beast::http::obsolete_reason(known);
  out.append(" ").append(reason.data(), reason.size()).append("\r\n");

  std::size_t left_out = 0;
  for (const auto& [name, value] : response.headers) {
    if (belongs_to_server(name)) continue;
    if (is_token(name) && is_field_value(value)) {
      append_field(out, name, value);
    } else {
      ++left_out;
    }
  }
  if (status_has_body(response.status)) {
    out.append("Content-Length: ");
    append_number(out, response.content().size());
    out.append("\r\n");
  }
  append_field(out, "Date", context.date);
  append_field(out, "Server", "tars");
  if (!context.request_id.empty() && is_field_value(context.request_id))
    append_field(out, "X-Request-ID", context.request_id);
  // Upgrade is a header of one hop, and so is named here (RFC 9110 section 7.8).
  if (find_header(response.headers, "Upgrade")) {
    append_field(out, "Connection", context.keep_alive ? "Upgrade" : "Upgrade, close");
  } else {
    append_field(out, "Connection", context.keep_alive ? "keep-alive" : "close");
  }
  out.append("\r\n");
  return left_out;
}

}  // namespace tars::net
