// The headers that say who asks, from where and what they take: one line of the input for each. No
// bytes of them crash, and what is concluded holds together.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/http/credentials.h"
#include "api/http/origin.h"
#include "net/message/content_coding.h"

namespace {

std::string next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string line(rest.substr(0, end));
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  tars::net::HttpRequest request;
  for (const char* name :
       {"Authorization", "Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol", "Origin", "Host",
        "Accept-Encoding", "Content-Type", "Content-Encoding"}) {
    request.headers.emplace_back(name, next_line(rest));
  }
  request.query = {{"token", std::string(rest)}};

  const auto found = tars::api::socket_credentials(request);
  if (!found.sent && !found.token.empty()) std::abort();
  if (!found.subprotocol.empty() && found.subprotocol != tars::api::kSubprotocol) std::abort();

  static const tars::api::OriginPolicy policy({"https://app.example"}, false);
  const std::string_view origin = *request.header("Origin");
  if (policy.is_listed(origin) && (!policy.admits(request) || policy.is_rebound(request)))
    std::abort();

  const std::string_view coding = *request.header("Accept-Encoding");
  if (coding.empty() && tars::net::accepts_coding(coding, "gzip")) std::abort();
  static_cast<void>(tars::net::accepts_coding(coding, "gzip"));
  static_cast<void>(tars::net::header_lists(request.headers, "Accept-Encoding", "gzip"));
  static_cast<void>(tars::api::check_json_content_type(request));
  request.body = "{}";
  static_cast<void>(tars::api::has_encoded_body(request));
  return 0;
}
