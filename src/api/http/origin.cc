#include "api/http/origin.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <cctype>

namespace tars::api {
namespace {

// scheme://host:port in lower case with the port spelled out; empty when it is no origin ("null"
// too).
std::string normalised(std::string_view origin) {
  const auto parsed = boost::urls::parse_uri({origin.data(), origin.size()});
  if (!parsed || parsed->host().empty() || parsed->has_query() || parsed->has_fragment() ||
      parsed->has_userinfo()) {
    return {};
  }
  const std::string_view path(parsed->encoded_path().data(), parsed->encoded_path().size());
  if (!path.empty() && path != "/") return {};
  std::string out(parsed->scheme());
  std::string port(parsed->port());
  if (port.empty()) port = out == "https" || out == "HTTPS" ? "443" : "80";
  out += "://";
  out += std::string(parsed->encoded_host().data(), parsed->encoded_host().size());
  out += ":" + port;
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// localhost and what is below it (RFC 6761 section 6.3), or an address.
bool is_local_name(const net::HttpRequest& request) {
  const std::string own = normalised("http://" + std::string(request.header("Host").value_or("")));
  const auto parsed = boost::urls::parse_uri(own);
  if (!parsed) return false;
  if (parsed->host_type() != boost::urls::host_type::name) return true;
  const std::string host = parsed->host();
  return host == "localhost" || host.ends_with(".localhost");
}

}  // namespace

OriginPolicy::OriginPolicy(const std::vector<std::string>& allowed, bool any_allowed) {
  for (const std::string& origin : allowed) {
    if (origin == "*") {
      any_ = any_allowed;
    } else if (std::string text = normalised(origin); !text.empty()) {
      allowed_.push_back(std::move(text));
    }
  }
}

bool OriginPolicy::is_listed(std::string_view origin) const {
  if (any_) return true;
  const std::string text = normalised(origin);
  return !text.empty() && std::find(allowed_.begin(), allowed_.end(), text) != allowed_.end();
}

bool OriginPolicy::admits(const net::HttpRequest& request) const {
  const auto origin = request.header("Origin");
  if (!origin || is_listed(*origin)) return true;
  const auto host = request.header("Host");
  if (!host) return false;
  const std::string own =
      normalised((request.secure ? "https://" : "http://") + std::string(*host));
  return !own.empty() && own == normalised(*origin);
}

bool OriginPolicy::is_rebound(const net::HttpRequest& request) const {
  const auto origin = request.header("Origin");
  return origin && !is_listed(*origin) && !is_local_name(request);
}

}  // namespace tars::api
