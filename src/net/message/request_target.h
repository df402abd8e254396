// What a request line asks for: a decoded path and decoded query parameters.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tars::net {

struct RequestTarget {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  std::string authority = {};  // of an absolute-form: host[:port]
};

// Parses the origin-form, absolute-form or `*` of RFC 9112 section 3.2. A plus sign in the query is
// a space (as HTML forms encode it), not in the path. ErrorCode::invalid_request on bad
// percent-encoding, on characters that RFC 3986 forbids, and when the decoded text is no UTF-8 or
// contains a NUL; in the absolute-form also without a host, and with a user's name.
Result<RequestTarget> parse_request_target(std::string_view target);

// Whether `text` is the `uri-host [ ":" port ]` of RFC 9112 section 3.2, or empty as that allows.
bool is_host(std::string_view text);

}  // namespace tars::net
