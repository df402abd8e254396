// HTTP messages as this program sees them: plain values, no library types.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tars::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The first header of that name, compared without case, or nullopt.
std::optional<std::string_view> find_header(const Headers& headers, std::string_view name);

// How many lines have that name.
std::size_t header_count(const Headers& headers, std::string_view name);

// Whether any line of the list header `name` has `element` in it: lines of one name are one list
// (RFC 9110 section 5.3).
bool header_lists(const Headers& headers, std::string_view name, std::string_view element);

// One complete request. `target` is as sent; `path` is its decoded path, `query` its decoded
// parameters in order. Header names compare without case.
struct HttpRequest {
  std::string method;
  std::string target;
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  Headers headers;
  std::string body;
  std::string remote_address;  // the peer's IP, no port
  std::string request_id;      // the caller's X-Request-ID if sane, else a new one
  bool secure = false;         // arrived over TLS

  std::optional<std::string_view> header(std::string_view name) const {
    return find_header(headers, name);
  }
  // The first query parameter of that name, or nullopt.
  std::optional<std::string_view> query_param(std::string_view name) const;
};

struct HttpResponse {
  unsigned status = 200;
  Headers
      headers;  // Content-Length, Date, Server, X-Request-ID and Connection are added by the server
  std::string body;
  bool close = false;  // close the connection after this answer
  // Sent instead of `body` when not empty: bytes that outlive the server. Those who read slowly
  // share them.
  std::string_view constant_body = {};

  std::string_view content() const { return constant_body.empty() ? body : constant_body; }
};

}  // namespace tars::net
