// Who asks, where reverse proxies stand in front of this server.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace tars::api {

// One element of the header Forwarded (RFC 7239 section 4): one hop.
struct ForwardedHop {
  std::string client;  // `for`
  std::string proto;
  std::string host;
};

// The hops, the nearest last. Nullopt when the value breaks the header's grammar.
std::optional<std::vector<ForwardedHop>> parse_forwarded(std::string_view value);

// A node of Forwarded or X-Forwarded-For, with or without a port: 192.0.2.1, 192.0.2.1:80,
// 2001:db8::1, [2001:db8::1]:80. Nullopt for names such as `unknown` and `_hidden`.
std::optional<boost::asio::ip::address> parse_node(std::string_view node);

// Addresses that share their first `bits`.
struct IpNetwork {
  boost::asio::ip::address_v6::bytes_type prefix;  // IPv4 as IPv4-mapped
  unsigned bits;
};

// An address, which is a network of one, or a network (10.0.0.0/8). Nullopt for anything else.
std::optional<IpNetwork> parse_network(const std::string& text);

// The proxies whose word is taken. Read by any thread.
class TrustedProxies {
 public:
  // What parse_network() takes; the rest is left out: config/ refuses it.
  explicit TrustedProxies(const std::vector<std::string>& networks);

  bool contains(const boost::asio::ip::address& address) const;

  // Where the request came from a trusted proxy, puts into it what that one says of the client: its
  // address, whether it used TLS, the Host it asked for. The client is the nearest hop that is no
  // trusted proxy itself, so that nobody gives himself an address by sending the header; what that
  // hop was asked for (proto, host) counts before what the hops behind it were.
  // X-Forwarded-For counts before Forwarded: proxies that write only the first pass a client's own
  // Forwarded on.
  void apply(net::HttpRequest& request) const;

 private:
  // What the proxies say of a request's client.
  struct Told {
    std::vector<std::string> chain;  // nodes, the nearest last
    std::vector<std::string> protos;  // as many as nodes where each hop tells its own, "" = nothing
    std::vector<std::string> hosts;
  };

  static Told read(const net::HttpRequest& request);

  std::vector<IpNetwork> networks_;
};

}  // namespace tars::api
