// The calling side: HTTP/1.1 requests to other servers over kept connections.
#pragma once

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "net/client/endpoint.h"
#include "net/client/exchange.h"
#include "net/client/host_names.h"

namespace tars::net {

struct ClientOptions {
  std::chrono::milliseconds connect_timeout{std::chrono::seconds{5}};  // name, TCP and TLS together
  // How long what was sent may stay unacknowledged. A kept connection may lead to a host that is
  // gone, and a new one is tried next; on that a server may be slow to read a long request.
  std::chrono::milliseconds kept_ack_timeout{std::chrono::seconds{10}};
  std::chrono::milliseconds ack_timeout{std::chrono::seconds{30}};
  std::chrono::milliseconds keep_alive{std::chrono::seconds{60}};  // an idle connection is kept
  std::size_t max_kept_per_origin = 64;  // idle connections to one scheme, host and port
  std::string ca_file = {};  // PEM; certificates to trust besides the system's
  std::shared_ptr<HostNames> names = nullptr;  // of several clients; none = its own
};

// Whether a client could trust what is in `file` (PEM); backend_unavailable with the reason else.
Result<void> check_ca_file(const std::string& file);

// Owns its idle connections; its exchanges share them. Belongs to one context and is used on that
// context's thread alone, construction and an empty client's destruction apart. Deadlines are
// looked at every 50 ms. Redirects are never followed, proxies never used.
class HttpClient {
 public:
  HttpClient(boost::asio::io_context& context, ClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // No I/O yet.
  std::unique_ptr<Exchange> open(const Endpoint& endpoint);
  // Ends every exchange, drops every connection and the timer; nothing works afterwards.
  void close();

  std::size_t open_exchanges() const;
  std::size_t kept_connections() const;

 private:
  const std::shared_ptr<ClientState> state_;
};

}  // namespace tars::net
