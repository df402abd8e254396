#include "net/message/request_target.h"

#include <boost/url/authority_view.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

#include "base/utf8.h"

namespace tars::net {
namespace {

constexpr std::string_view kBadTarget =
    "The request target is not valid: percent-encode it as RFC 3986 says, in UTF-8.";

bool is_clean(std::string_view text) {
  return text.find('\0') == std::string_view::npos && is_valid_utf8(text);
}

// As a client sends it that takes this server for one.
Error no_proxy() {
  return make_error(ErrorCode::invalid_request,
                    "The request target is neither a path nor an http address of this server, "
                    "which is no proxy.");
}

Error bad_target() { return make_error(ErrorCode::invalid_request, std::string(kBadTarget)); }

}  // namespace

Result<RequestTarget> parse_request_target(std::string_view target) {
  RequestTarget parsed;
  if (target == "*") {
    parsed.path = "*";
    return parsed;
  }
  const boost::urls::string_view text(target.data(), target.size());
  const auto url = target.starts_with('/') ? boost::urls::parse_origin_form(text)
                                           : boost::urls::parse_absolute_uri(text);
  if (!url) return bad_target();
  // `example.org:443`, the authority-form of CONNECT, also reads as a URI of the scheme
  // example.org.
  const bool is_absolute = !target.starts_with('/');
  if (is_absolute && url->scheme_id() != boost::urls::scheme::http &&
      url->scheme_id() != boost::urls::scheme::https) {
    return no_proxy();
  }
  if (is_absolute) {
    if (url->has_userinfo() || url->encoded_host().empty()) return bad_target();
    const auto host = url->encoded_host_and_port();
    parsed.authority.assign(host.data(), host.size());
  }

  parsed.path = url->encoded_path().decode();
  if (!is_clean(parsed.path)) return bad_target();
  // An encoded slash is part of a segment and separates none (RFC 3986 section 2.2), so such a path
  // stays encoded: a proxy that guards /auth/… must not see another path than the routes do.
  const std::string_view encoded(url->encoded_path().data(), url->encoded_path().size());
  if (std::ranges::count(parsed.path, '/') != std::ranges::count(encoded, '/')) {
    parsed.path = encoded;
  }
  if (parsed.path.empty()) parsed.path = "/";
  if (!url->has_query()) return parsed;

  boost::urls::encoding_opts as_form;
  as_form.space_as_plus = true;
  for (const auto& param : url->encoded_params()) {
    std::string key = param.key.decode(as_form);
    std::string value = param.has_value ? param.value.decode(as_form) : std::string();
    if (!is_clean(key) || !is_clean(value)) return bad_target();
    parsed.query.emplace_back(std::move(key), std::move(value));
  }
  return parsed;
}

bool is_host(std::string_view text) {
  const auto authority = boost::urls::parse_authority({text.data(), text.size()});
  return authority && !authority->has_userinfo() &&
         (!authority->has_port() || !authority->encoded_host().empty());
}

}  // namespace tars::net
