// Which program this is.
#pragma once

#include <string_view>

namespace tars::telemetry {

// The project's version, such as 0.1.0. Valid for the life of the process.
std::string_view version();
// The compiler that built it, for bug reports: "GCC 12.2.0".
std::string_view compiler();

}  // namespace tars::telemetry
