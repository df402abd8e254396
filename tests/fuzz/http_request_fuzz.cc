// Any bytes, in two pieces, through the HTTP request parser: it uses no more than it was given, the
// same request comes out however the bytes were cut, and what it leaves unused is bounded.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/message/request_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  tars::net::RequestParser whole(16 * 1024, 4096);
  const std::size_t used = whole.feed(bytes);
  if (used > size) std::abort();

  tars::net::RequestParser cut(16 * 1024, 4096);
  const std::size_t first = cut.feed(bytes.substr(0, size / 2));
  if (first > size / 2) std::abort();
  if (!cut.done() && !cut.failure()) cut.feed(bytes.substr(first));
  if (whole.done() && (!cut.done() || cut.request().body != whole.request().body)) std::abort();
  if (whole.done() && whole.request().body.size() > 4096) std::abort();

  constexpr std::size_t kSmallHeader = 128;
  tars::net::RequestParser small(kSmallHeader, 4096);
  const std::size_t rest = size - small.feed(bytes);
  if (!small.done() && !small.failure() && rest > kSmallHeader) std::abort();
  return 0;
}
