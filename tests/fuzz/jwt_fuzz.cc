// verify() on any bytes: no crash, and nothing is accepted that was not signed here.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "auth/token_service.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tars::SystemClock clock;
  static const auto service = [] {
    tars::auth::Options options;
    options.secret_key = "a secret of at least 32 bytes, for tests";
    return tars::auth::TokenService::open(":memory:", options, clock).value();
  }();
  const std::string_view token(reinterpret_cast<const char*>(data), size);
  const auto claims = service->verify_any(token);
  if (claims && (claims->client_id.empty() || claims->token_id.empty())) std::abort();
  return 0;
}
