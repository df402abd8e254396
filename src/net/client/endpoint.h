// Where a server that this program calls is: scheme, host, port and the path before every target.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tars::net {

struct Endpoint {
  bool secure = false;  // https
  std::string host = {};  // a name or an IP address, IPv6 without brackets
  std::uint16_t port = 80;
  std::string base_path = {};  // "" or "/v1": begins with a slash, ends with none

  // For the Host header and for people: the port is left out where it is the scheme's own.
  std::string authority() const;
  std::string url() const;
  bool operator==(const Endpoint&) const = default;
};

// `http://host:port/base`, https likewise; the port is 80 or 443 where it is left out. Without a
// scheme http is meant, and `default_port`; ":11434" is this machine, and "::1" needs no brackets.
// 0.0.0.0 and ::, which servers listen on, become the loopback address. config_error with what is
// wrong: no host, user:password@, a query, another scheme.
Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port);

}  // namespace tars::net
