// W3C Trace Context, the part a single hop needs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tars::api {

struct Trace {
  std::string trace_id;     // 32 hex digits, or empty when the caller sent none
  std::string traceparent;  // to send back: the caller's trace, a span of ours
};

// From the `traceparent` header (W3C Trace Context section 3.2.2); what is malformed counts as
// absent.
Trace join_trace(std::optional<std::string_view> traceparent);

}  // namespace tars::api
