#include "net/client/endpoint.h"

#include <boost/asio/ip/address_v6.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <charconv>

namespace tars::net {
namespace {

// http://...@host: who reads a log is not to read a password.
std::string without_password(std::string_view text) {
  const std::size_t scheme = text.find("://");
  const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at < begin) return std::string(text);
  return std::string(text.substr(0, begin)) + "..." + std::string(text.substr(at));
}

Error refuse(std::string_view text, std::string_view why) {
  return make_error(ErrorCode::config_error, "\"" + without_password(text).substr(0, 100) + "\" " +
                                                 std::string(why) +
                                                 "; write it as http://HOST:PORT");
}

std::string host_of(const boost::urls::url_view& url) {
  const bool is_ipv6 = url.host_type() == boost::urls::host_type::ipv6;
  const std::string host = is_ipv6 ? url.host_ipv6_address().to_string() : std::string(url.host());
  if (host == "0.0.0.0") return "127.0.0.1";
  if (host == "::") return "::1";
  return host;
}

// As Ollama's own programs take OLLAMA_HOST: quoted, with nothing before or behind the colon of the
// port, an IPv6 address without brackets.
std::string spelled_out(std::string_view text) {
  constexpr std::string_view kAround = " \t\r\n\"'";
  const std::size_t first = text.find_first_not_of(kAround);
  if (first == text.npos) return {};
  text = text.substr(first, text.find_last_not_of(kAround) - first + 1);
  const std::size_t scheme = text.find("://");
  const std::size_t begin = scheme == text.npos ? 0 : scheme + 3;
  const std::string before = scheme == text.npos ? "http://" : std::string(text.substr(0, begin));
  std::string_view rest = text.substr(begin);
  const std::string_view host = rest.substr(0, rest.find('/'));
  rest.remove_prefix(host.size());
  boost::system::error_code ec;
  boost::asio::ip::make_address_v6(std::string(host), ec);
  if (!ec) return before + "[" + std::string(host) + "]" + std::string(rest);
  const bool no_host = host.size() > 1 && host.front() == ':' && host.find(':', 1) == host.npos;
  const bool no_port = host.size() > 1 && host.back() == ':';
  return before + (no_host ? "127.0.0.1" : "") +
         std::string(no_port ? host.substr(0, host.size() - 1) : host) + std::string(rest);
}

}  // namespace

std::string Endpoint::authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  std::string out = is_ipv6 ? "[" + host + "]" : host;
  if (port != (secure ? 443 : 80)) out += ":" + std::to_string(port);
  return out;
}

std::string Endpoint::url() const {
  return (secure ? "https://" : "http://") + authority() + base_path;
}

Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
  const bool has_scheme = text.find("://") != std::string_view::npos;
  const std::string whole = spelled_out(text);
  const auto url = boost::urls::parse_uri(whole);
  if (!url) return refuse(text, "is no address");
  Endpoint out;
  out.secure = url->scheme_id() == boost::urls::scheme::https;
  if (!out.secure && url->scheme_id() != boost::urls::scheme::http) {
    return refuse(text, "is neither http nor https");
  }
  if (url->has_userinfo()) return refuse(text, "has a user name or password in it");
  if (url->has_query() || url->has_fragment()) return refuse(text, "has more than a path");
  // Decoded, a name could read as something else: "a%3ab" as an IPv6 address.
  if (url->encoded_host().find('%') != std::string_view::npos) {
    return refuse(text, "has a % in its host");
  }
  out.host = host_of(*url);
  if (out.host.empty()) return refuse(text, "has no host");
  out.port = out.secure ? 443 : has_scheme ? 80 : default_port;
  if (url->has_port()) {
    const std::string digits(url->port());
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
    if (error != std::errc() || out.port == 0)
      return refuse(text, "has no port that can be connected to");
  }
  out.base_path = std::string(url->encoded_path());
  // A list where one address belongs: "http://a:1,http://b:2" is parsed as one with an odd path.
  const bool odd_path = !out.base_path.empty() && out.base_path.front() != '/';
  const bool is_list = out.base_path.find("://") != std::string::npos;
  if (odd_path || is_list || out.host.find_first_of(",'") != std::string::npos) {
    return refuse(text, "is no address");
  }
  // A quote there would be taken for the end of a quoted address, read again.
  while (out.base_path.ends_with('/') || out.base_path.ends_with('\'')) out.base_path.pop_back();
  return out;
}

}  // namespace tars::net
