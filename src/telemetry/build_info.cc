#include "telemetry/build_info.h"

namespace tars::telemetry {

std::string_view version() { return TARS_VERSION; }

std::string_view compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

}  // namespace tars::telemetry
