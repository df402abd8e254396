// Any bytes as a `traceparent` header: what goes out is well formed, and the trace id is the
// caller's or none.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/http/trace.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto trace = tars::api::join_trace(text);
  if (trace.trace_id.empty()) return 0;
  const bool hex = std::all_of(trace.trace_id.begin(), trace.trace_id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  if (!hex || trace.trace_id.size() != 32) std::abort();
  if (text.find(trace.trace_id) == std::string_view::npos) std::abort();
  if (trace.traceparent.find(trace.trace_id) == std::string_view::npos) std::abort();
  return 0;
}
