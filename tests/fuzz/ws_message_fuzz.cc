// Any bytes as a client's message: a value or an error that names its cause, never a crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/ws/client_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto parsed = tars::api::parse_client_message(bytes, tars::api::MessageLimits{});
  if (!parsed.message && parsed.message.error().message.empty()) std::abort();
  return 0;
}
