// Which web pages may talk to this server.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace tars::api {

// Decides about the Origin header (RFC 6454) of requests and handshakes. Immutable, thread-safe.
class OriginPolicy {
 public:
  // `allowed` are scheme://host[:port]; `*` counts only with `any_allowed`.
  OriginPolicy(const std::vector<std::string>& allowed, bool any_allowed);

  // No Origin (no browser), the server's own (scheme, host and port as the request came), or a
  // listed one.
  bool admits(const net::HttpRequest& request) const;
  // Did a page send this that calls the server by a name other than localhost or an address, and is
  // not listed? To a server on a loopback address that is DNS rebinding: any site can let its own
  // name point to 127.0.0.1 and is then of the same origin. False without an Origin (no browser).
  bool is_rebound(const net::HttpRequest& request) const;
  bool lists_any() const { return any_ || !allowed_.empty(); }
  // A listed origin, or any with `*`: what gets CORS headers.
  bool is_listed(std::string_view origin) const;

 private:
  std::vector<std::string> allowed_;  // normalised
  bool any_ = false;
};

}  // namespace tars::api
