// verify() on any bytes: no crash, and nothing is accepted that was not signed here. The key alone,
// too, for it sees more than the service lets through to it. No mutation finds a signature, so the
// same bytes are also signed rightly: once as the claims, once as the header of good claims.
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "../unit/auth/auth_fixture.h"
#include "auth/client_id.h"
#include "auth/flat_json.h"
#include "auth/jws.h"
#include "base/utf8.h"

namespace tars::auth {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_plain_id(const std::string& text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

// What the rest of the program relies on without looking.
void check(const Claims& claims) {
  constexpr std::int64_t kYear10000 = 253402300800;
  require(is_client_id(claims.client_id));
  require(is_plain_id(claims.token_id) && is_plain_id(claims.family));
  require(is_valid_utf8(claims.device_name) && is_valid_utf8(claims.device_type));
  require(claims.issued_at >= 0 && claims.issued_at < kYear10000);
  require(claims.expires_at >= 0 && claims.expires_at < kYear10000);
  require(claims.good_until == claims.expires_at && !claims.admin);
}

void check_header(std::string_view text) {
  const auto header = FlatObject::parse(text);
  require(header.has_value());
  const std::string* algorithm = header->text("alg");
  require(algorithm != nullptr && *algorithm == "HS256");
  require(!header->has("crit"));
}

}  // namespace
}  // namespace tars::auth

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tars::auth;
  static const tars::SystemClock clock;
  static const auto service = TokenService::open(":memory:", test_options(), clock).value();
  static const JwsKey other("another secret of 32 bytes, for tests", "");
  static const std::string good_claims = [] {
    std::string claims = claims_json(tars::unix_seconds(clock.wall()));
    require(service->verify_any(forge(kHeader, claims, kSecret)).has_value());
    return claims;
  }();
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  require(!other.verify(text));
  if (const auto claims = service->verify_any(text)) check(*claims);
  if (const auto claims = service->verify_any(forge(kHeader, text, kSecret))) check(*claims);
  if (service->verify_any(forge(text, good_claims, kSecret))) check_header(text);
  return 0;
}
