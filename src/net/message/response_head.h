// The bytes before a response's body.
#pragma once

#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>

#include "net/http.h"

namespace tars::net {

// `Date` in the form of RFC 9110 section 5.6.7, formatted again only when the second changes. One
// per thread; not thread-safe.
class DateHeader {
 public:
  std::string_view at(std::time_t now);

 private:
  std::time_t second_ = -1;
  std::string text_;
};

struct ResponseContext {
  std::string_view date;
  std::string_view request_id;
  bool keep_alive = true;
};

// Appends the status line and headers of `response` up to the blank line (RFC 9112 section 4). The
// server's own headers (Content-Length, Date, Server, X-Request-ID, Connection, Transfer-Encoding)
// are written here and never taken from the response. A header whose name is no token, or whose
// value has a control character in it, is left out: nothing an application puts there can end a
// line. Returns how many were left out for that.
std::size_t append_response_head(std::string& out, const HttpResponse& response,
                                 const ResponseContext& context);

// Whether a response of this status has a body at all (RFC 9110 section 6.4.1).
bool status_has_body(unsigned status);

}  // namespace tars::net
