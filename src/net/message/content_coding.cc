#include "net/message/content_coding.h"

#include <boost/beast/http/rfc7230.hpp>

#include <optional>

#include "net/message/ascii.h"

namespace tars::net {
namespace {

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

// `params` of one coding: whether its weight is zero. Beast 1.81 gives a coding without parameters
// those of the one before, which stand in front of its name.
template <class Params>
bool is_refused(boost::beast::string_view coding, const Params& params) {
  for (const auto& [name, value] : params) {
    if (name.data() < coding.data() || !equals_ignoring_case(view(name), "q")) continue;
    return view(value).find_first_not_of("0.") == std::string_view::npos;
  }
  return false;
}

}  // namespace

bool accepts_coding(std::string_view accept_encoding, std::string_view coding) {
  const boost::beast::string_view text(accept_encoding.data(), accept_encoding.size());
  std::optional<bool> any;
  for (const auto& [name, params] : boost::beast::http::ext_list(text)) {
    if (equals_ignoring_case(view(name), coding)) return !is_refused(name, params);
    if (view(name) == "*") any = !is_refused(name, params);
  }
  return any.value_or(false);
}

}  // namespace tars::net
