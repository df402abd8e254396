// The address of one thing on a web server, for downloads.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "net/client/endpoint.h"

namespace tars::net {

struct WebUrl {
  Endpoint endpoint;   // no base path
  std::string target;  // path and query as they go into a request line
  std::string text;    // the whole, without a fragment
  std::string file_name;  // the path's last part, decoded; may be empty
};

// `http://` or `https://` in front (RFC 3986). config_error with what is wrong: no host,
// user:password@, another scheme.
Result<WebUrl> parse_web_url(std::string_view text);

// Where a redirect's Location leads from `base`, relative ones included. config_error as above, and
// when it leads from https to http.
Result<WebUrl> follow(const WebUrl& base, std::string_view location);

}  // namespace tars::net
