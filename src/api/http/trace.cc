#include "api/http/trace.h"

#include <algorithm>

#include "base/ids.h"

namespace tars::api {
namespace {

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool all_zero(std::string_view text) { return text.find_first_not_of('0') == text.npos; }

}  // namespace

Trace join_trace(std::optional<std::string_view> traceparent) {
  // 00-<32 hex>-<16 hex>-<2 hex>; a later version may be longer.
  if (!traceparent || traceparent->size() < 55) return {};
  const std::string_view text = *traceparent;
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace_id = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  const bool shaped = text[2] == '-' && text[35] == '-' && text[52] == '-' &&
                      (text.size() == 55 || (version != "00" && text[55] == '-'));
  if (!shaped || version == "ff" || !is_hex(version) || !is_hex(trace_id) || !is_hex(parent) ||
      !is_hex(flags) || all_zero(trace_id) || all_zero(parent)) {
    return {};
  }
  Trace trace;
  trace.trace_id = trace_id;
  // Whether the caller records the trace; version 00 leaves the other flags zero.
  const bool sampled = std::string_view("13579bdf").find(flags[1]) != std::string_view::npos;
  trace.traceparent = "00-" + trace.trace_id + "-" + random_hex(8) + (sampled ? "-01" : "-00");
  return trace;
}

Trace join_trace(const net::Headers& headers) {
  constexpr std::string_view kName = "traceparent";
  if (net::header_count(headers, kName) > 1) return {};
  return join_trace(net::find_header(headers, kName));
}

}  // namespace tars::api
