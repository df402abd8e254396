// Request ids for logs and the X-Request-ID header.
#pragma once

#include <string>
#include <string_view>

namespace tars::telemetry {

// The caller's id when it is sane (1–128 of A-Za-z0-9._:/+=@-), else a new one.
std::string request_id(std::string_view offered);

}  // namespace tars::telemetry
