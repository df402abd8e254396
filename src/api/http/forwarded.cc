#include "api/http/forwarded.h"

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <algorithm>
#include <utility>

#include "net/address_text.h"
#include "net/message/ascii.h"

namespace tars::api {
namespace {

namespace ip = boost::asio::ip;

constexpr unsigned kMappedBits = 96;
// A header with more hops than this is no chain of proxies.
constexpr std::size_t kMaxHops = 64;

// IPv4 as IPv4-mapped, so that both families compare alike and a socket for both tells nothing new.
ip::address_v6::bytes_type bytes_of(const ip::address& address) {
  if (address.is_v6()) return address.to_v6().to_bytes();
  return ip::make_address_v6(ip::v4_mapped, address.to_v4()).to_bytes();
}

// Takes `text` apart from the front: tokens, quoted strings and single characters.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void skip_space() {
    while (take(' ') || take('\t')) {
    }
  }
  std::optional<std::string> token() {
    const auto end = std::ranges::find_if_not(text_, net::is_token_char);
    const auto size = static_cast<std::size_t>(end - text_.begin());
    if (size == 0) return std::nullopt;
    std::string out(text_.substr(0, size));
    text_.remove_prefix(size);
    return out;
  }
  // RFC 9110 section 5.6.4, the first quote already taken.
  std::optional<std::string> quoted_rest() {
    std::string out;
    while (!text_.empty()) {
      if (take('"')) return out;
      if (take('\\') && text_.empty()) return std::nullopt;
      out.push_back(text_.front());
      text_.remove_prefix(1);
    }
    return std::nullopt;
  }

 private:
  std::string_view text_;
};

// One name=value pair, or nothing, which the grammar allows: false. nullopt: neither.
std::optional<bool> read_pair(Reader& reader, ForwardedHop& hop) {
  const auto name = reader.token();
  if (!name) return false;
  if (!reader.take('=')) return std::nullopt;
  const auto value = reader.take('"') ? reader.quoted_rest() : reader.token();
  if (!value) return std::nullopt;
  if (net::equals_ignoring_case(*name, "for")) hop.client = *value;
  if (net::equals_ignoring_case(*name, "proto")) hop.proto = *value;
  if (net::equals_ignoring_case(*name, "host")) hop.host = *value;
  return true;
}

// All values of a header that may come several times, as one list.
std::string joined(const net::HttpRequest& request, std::string_view name) {
  std::string out;
  for (const auto& [key, value] : request.headers) {
    if (!net::equals_ignoring_case(key, name)) continue;
    if (!out.empty()) out += ',';
    out += value;
  }
  return out;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    out.emplace_back(net::trimmed(list.substr(0, comma)));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return out;
}

// What the hop at `at` says, where each of `hops` hops says something; else what the nearest that
// says something does: a proxy further out says what it saw, this one what it was sent.
std::string said_by(const std::vector<std::string>& words, std::size_t at, std::size_t hops) {
  if (words.size() == hops && at < hops && !words[at].empty()) return words[at];
  const auto last = std::ranges::find_if(words.rbegin(), words.rend(),
                                         [](const std::string& word) { return !word.empty(); });
  return last == words.rend() ? std::string() : *last;
}

void replace_host(net::HttpRequest& request, const std::string& host) {
  for (auto& [key, value] : request.headers) {
    if (net::equals_ignoring_case(key, "Host")) value = host;
  }
}

}  // namespace

std::optional<std::vector<ForwardedHop>> parse_forwarded(std::string_view value) {
  std::vector<ForwardedHop> out;
  ForwardedHop hop;
  bool says_something = false;  // an empty element is none (RFC 9110 section 5.6.1.2)
  std::size_t elements = 0;
  Reader reader(value);
  for (;;) {
    reader.skip_space();
    const auto pair = read_pair(reader, hop);
    if (!pair) return std::nullopt;
    says_something = says_something || *pair;
    reader.skip_space();
    if (reader.take(';')) continue;
    const bool ends = reader.at_end();
    if (!ends && !reader.take(',')) return std::nullopt;
    if (++elements > kMaxHops) return std::nullopt;
    if (std::exchange(says_something, false)) out.push_back(std::exchange(hop, {}));
    if (ends) return out;
  }
}

std::optional<ip::address> parse_node(std::string_view node) {
  if (node.starts_with('[')) {
    const auto end = node.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    node = node.substr(1, end - 1);
  } else if (std::ranges::count(node, ':') == 1) {
    node = node.substr(0, node.find(':'));
  }
  boost::system::error_code ec;
  const auto address = ip::make_address(std::string(node), ec);
  if (ec) return std::nullopt;
  return address;
}

std::optional<IpNetwork> parse_network(const std::string& text) {
  boost::system::error_code ec;
  const auto slash = text.find('/');
  const auto address = ip::make_address(text.substr(0, slash), ec);
  if (ec) return std::nullopt;
  unsigned bits = address.is_v4() ? 32 : 128;
  if (slash != std::string::npos) {
    bits = address.is_v4() ? ip::make_network_v4(text, ec).prefix_length()
                           : ip::make_network_v6(text, ec).prefix_length();
    if (ec) return std::nullopt;
  }
  return IpNetwork{bytes_of(address), bits + (address.is_v4() ? kMappedBits : 0)};
}

TrustedProxies::TrustedProxies(const std::vector<std::string>& networks) {
  for (const std::string& text : networks) {
    if (const auto network = parse_network(text)) networks_.push_back(*network);
  }
}

bool TrustedProxies::contains(const ip::address& address) const {
  const auto bytes = bytes_of(address);
  return std::ranges::any_of(networks_, [&](const IpNetwork& network) {
    for (unsigned bit = 0; bit < network.bits; ++bit) {
      const unsigned mask = 0x80U >> (bit % 8);
      if ((bytes[bit / 8] & mask) != (network.prefix[bit / 8] & mask)) return false;
    }
    return true;
  });
}

TrustedProxies::Told TrustedProxies::read(const net::HttpRequest& request) {
  if (request.header("X-Forwarded-For") || !request.header("Forwarded")) {
    Told out{split(joined(request, "X-Forwarded-For")), split(joined(request, "X-Forwarded-Proto")),
             split(joined(request, "X-Forwarded-Host"))};
    std::erase(out.chain, "");  // an empty element is none (RFC 9110 section 5.6.1.2)
    return out;
  }
  const auto hops = parse_forwarded(joined(request, "Forwarded"));
  if (!hops) return {};
  Told out;
  for (const ForwardedHop& hop : *hops) {
    out.chain.push_back(hop.client);
    out.protos.push_back(hop.proto);
    out.hosts.push_back(hop.host);
  }
  return out;
}

void TrustedProxies::apply(net::HttpRequest& request) const {
  if (networks_.empty()) return;
  const auto peer = parse_node(request.remote_address);
  if (!peer || !contains(*peer)) return;
  const Told told = read(request);
  ip::address client = *peer;
  std::size_t at = told.chain.size();  // of the hop that tells of the client
  while (at > 0 && contains(client)) {
    const auto address = parse_node(told.chain[at - 1]);
    if (!address) break;
    client = *address;
    --at;
  }
  request.remote_address = net::address_text(client);
  const std::string proto = said_by(told.protos, at, told.chain.size());
  const std::string host = said_by(told.hosts, at, told.chain.size());
  // Of an upgrade, Traefik says the WebSocket's scheme.
  if (!proto.empty()) {
    request.secure =
        net::equals_ignoring_case(proto, "https") || net::equals_ignoring_case(proto, "wss");
  }
  if (!host.empty()) replace_host(request, host);
}

}  // namespace tars::api
