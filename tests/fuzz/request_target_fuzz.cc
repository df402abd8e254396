// Any bytes as a request target: what is accepted is UTF-8 without NUL.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.h"
#include "net/message/request_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = tars::net::parse_request_target({reinterpret_cast<const char*>(data), size});
  if (!parsed) return 0;
  if (parsed->path.find('\0') != std::string::npos) std::abort();
  if (!tars::is_valid_utf8(parsed->path)) std::abort();
  for (const auto& [key, value] : parsed->query) {
    if (!tars::is_valid_utf8(key) || !tars::is_valid_utf8(value)) std::abort();
  }
  return 0;
}
