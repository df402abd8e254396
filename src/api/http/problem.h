// HTTP answers: problem documents (RFC 9457) and plain JSON.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/json_writer.h"
#include "base/error.h"
#include "net/http.h"

namespace tars::api {

// What HTTP itself can find wrong, before any error code of ours applies.
struct HttpRow {
  unsigned status;
  std::string_view name;  // `code` of a problem document
  std::string_view title;
};
// Every status of that kind, once.
std::span<const HttpRow> http_error_table();

// Where a problem happened.
struct ProblemPlace {
  std::string_view target;    // as sent; its query is dropped, it may hold a token
  std::string_view trace_id;  // empty: the request id stands in
  std::string_view request_id;
  bool token_sent = false;    // decides the error in WWW-Authenticate (RFC 6750 section 3.1)
};

// The error table's status, with `errors` when there are fields, WWW-Authenticate on 401,
// Retry-After on 429 and 503.
net::HttpResponse problem_response(const Error& error, const ProblemPlace& place);

// For statuses that the HTTP layer found (400, 408, 426, 431 …).
net::HttpResponse problem_response(unsigned status, std::string_view detail,
                                   const ProblemPlace& place);

// A finished JSON text.
net::HttpResponse json_response(unsigned status, std::string body);

}  // namespace tars::api
