// W3C Trace Context, the part a single hop needs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace tars::api {

struct Trace {
  std::string trace_id;     // 32 hex digits, or empty when the caller sent none
  std::string traceparent;  // to send back: the caller's trace, a span of ours
};

// From the value of a `traceparent` header (W3C Trace Context section 3.2.2); what is malformed
// counts as absent.
Trace join_trace(std::optional<std::string_view> traceparent);
// The same from a request's headers. Two of them contradict each other, and count as none.
Trace join_trace(const net::Headers& headers);

}  // namespace tars::api
