#include "telemetry/request_id.h"

#include "base/ids.h"

namespace tars::telemetry {
namespace {

constexpr std::size_t kMaxLength = 128;

bool is_sane(std::string_view id) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/+=@-";
  return !id.empty() && id.size() <= kMaxLength &&
         id.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

std::string request_id(std::string_view offered) {
  return is_sane(offered) ? std::string(offered) : make_id("req");
}

}  // namespace tars::telemetry
