// Any bytes as a .env file: a list of named values, or one line that says where it is wrong.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/dotenv.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto entries = tars::config::parse_dotenv(text);
  if (!entries) {
    const std::string& message = entries.error().message;
    if (message.empty() || message.find('\n') != std::string::npos) std::abort();
    return 0;
  }
  int line = 0;
  for (const auto& entry : *entries) {
    if (entry.name.empty() || entry.line <= line) std::abort();
    line = entry.line;
  }
  return 0;
}
