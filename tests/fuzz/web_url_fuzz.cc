// Addresses of servers and of downloads, and where a redirect leads: what is accepted is accepted
// again as it is written, and nothing leads from https to http.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/client/endpoint.h"
#include "net/client/web_url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto endpoint = tars::net::parse_endpoint(text, 11434)) {
    if (endpoint->host.empty() || endpoint->base_path.ends_with('/')) std::abort();
    const auto again = tars::net::parse_endpoint(endpoint->url(), 11434);
    if (!again || *again != *endpoint) std::abort();
  }
  static const auto base = tars::net::parse_web_url("https://example.org/a/b?c");
  for (const auto& url : {tars::net::parse_web_url(text), tars::net::follow(*base, text)}) {
    if (!url) continue;
    if (url->endpoint.host.empty() || !url->target.starts_with('/')) std::abort();
    if (url->target.find_first_of("\r\n \0") != std::string::npos) std::abort();
    if (!tars::net::parse_web_url(url->text)) std::abort();
  }
  const auto led = tars::net::follow(*base, text);
  if (led && !led->endpoint.secure) std::abort();
  return 0;
}
