// The headers that reverse proxies send: any bytes give a bounded chain or nothing, and a request
// that came through a trusted proxy always keeps an address.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "api/http/forwarded.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string value(reinterpret_cast<const char*>(data), size);
  constexpr std::size_t kMaxHops = 64;
  if (const auto hops = tars::api::parse_forwarded(value); hops && hops->size() > kMaxHops) {
    std::abort();
  }
  static const tars::api::TrustedProxies proxies({"10.0.0.0/8", "::1"});
  for (const char* name : {"Forwarded", "X-Forwarded-For"}) {
    tars::net::HttpRequest request;
    request.remote_address = "10.0.0.1";
    request.headers = {{name, value}, {"Host", "h"}};
    proxies.apply(request);
    if (!tars::api::parse_node(request.remote_address)) std::abort();
  }
  return 0;
}
