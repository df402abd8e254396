// verify() on any bytes: no crash, and nothing is accepted that was not signed here. The key alone,
// too, for it sees more than the service lets through to it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "auth/jws.h"
#include "auth/token_service.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tars::SystemClock clock;
  static const auto service = [] {
    tars::auth::Options options;
    options.secret_key = "a secret of at least 32 bytes, for tests";
    return tars::auth::TokenService::open(":memory:", options, clock).value();
  }();
  const std::string_view token(reinterpret_cast<const char*>(data), size);
  static const tars::auth::JwsKey key("another secret of 32 bytes, for tests", "");
  if (key.verify(token)) std::abort();
  const auto claims = service->verify_any(token);
  if (claims && (claims->client_id.empty() || claims->token_id.empty())) std::abort();
  return 0;
}
