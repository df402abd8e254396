#include "net/client/web_url.h"

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <boost/url/url_view.hpp>

namespace tars::net {
namespace {

Error refuse(std::string_view text, const std::string& why) {
  return make_error(ErrorCode::config_error,
                    "the address \"" + std::string(text.substr(0, 200)) + "\" " + why);
}

}  // namespace

Result<WebUrl> parse_web_url(std::string_view text) {
  const auto url = boost::urls::parse_uri(text);
  if (!url) return refuse(text, "is no URL");
  if (url->has_userinfo()) {
    const std::string shown =
        std::string(url->scheme()) + "://...@" + std::string(url->encoded_host());
    return refuse(shown, "has a user name or password in it");
  }
  WebUrl out;
  const std::string origin(url->encoded_origin());
  Result<Endpoint> endpoint = parse_endpoint(origin, 80);
  if (!endpoint) return refuse(text, "names no http or https server");
  out.endpoint = *std::move(endpoint);
  const std::string path(url->encoded_path());
  // RFC 3986 section 3.3; the parser lets "http://host:1:x" pass.
  if (!path.empty() && path.front() != '/') return refuse(text, "is no URL");
  out.target = path.empty() ? "/" : path;
  if (url->has_query()) out.target += "?" + std::string(url->encoded_query());
  out.text = origin + out.target;
  const auto segments = url->segments();
  if (!segments.empty()) out.file_name = segments.back();
  return out;
}

Result<WebUrl> follow(const WebUrl& base, std::string_view location) {
  const auto from = boost::urls::parse_uri(base.text);
  const auto to = boost::urls::parse_uri_reference(location);
  if (!from || !to) return refuse(location, "is no place to be sent to");
  boost::urls::url resolved;
  if (!boost::urls::resolve(*from, *to, resolved)) {
    return refuse(location, "is no place to be sent to");
  }
  const std::string text(resolved.buffer().data(), resolved.buffer().size());
  Result<WebUrl> out = parse_web_url(text);
  if (out && base.endpoint.secure && !out->endpoint.secure) {
    return refuse(text, "is http, and an https server led there");
  }
  return out;
}

}  // namespace tars::net
