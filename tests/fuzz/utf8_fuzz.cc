// Any bytes: the four functions of base/utf8.h must agree with each other.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool valid = tars::is_valid_utf8(text);
  const auto count = tars::count_code_points(text);
  if (valid != count.has_value() || (count && *count > size)) std::abort();
  const std::size_t prefix = tars::complete_utf8_prefix(text);
  if (prefix > size || size - prefix > 3 || (valid && prefix != size)) std::abort();
  const std::string replaced = tars::replace_invalid_utf8(text);
  if (!tars::is_valid_utf8(replaced) || (valid && replaced != text)) std::abort();
  return 0;
}
