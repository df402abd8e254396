// Any bytes, in pieces, through the parser of other servers' HTTP responses: the same body comes
// out however the bytes were cut.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/client/response_parser.h"

namespace {

struct Outcome {
  std::string body;
  unsigned status = 0;
  bool failed = false;
  bool done = false;
};

Outcome parse(std::string_view bytes, std::size_t step) {
  tars::net::ResponseParser parser;
  Outcome out;
  for (std::size_t at = 0; at < bytes.size() && !out.failed; at += step) {
    out.failed = !parser.feed(bytes.substr(at, step), out.body).has_value();
  }
  out.status = parser.head().status;
  out.done = !out.failed && parser.done();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Outcome whole = parse(bytes, size + 1);
  const Outcome cut = parse(bytes, 5);
  if (whole.body.size() > size) std::abort();
  if (whole.done && (!cut.done || cut.body != whole.body || cut.status != whole.status)) {
    std::abort();
  }
  return 0;
}
