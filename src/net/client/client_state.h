// What the exchanges of one HttpClient share: kept connections, certificates, the deadlines.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "net/client/client_connection.h"
#include "net/client/endpoint.h"
#include "net/client/host_names.h"
#include "net/client/http_client.h"

namespace tars::net {

// Used on the context's thread only. Has one timer that runs while there is anything to look at.
class ClientState : public std::enable_shared_from_this<ClientState> {
 public:
  ClientState(boost::asio::io_context& context, ClientOptions options);

  const ClientOptions& options() const { return options_; }
  boost::asio::io_context& context() { return context_; }
  const std::shared_ptr<HostNames>& names() const { return names_; }

  void add(Exchange& exchange);
  void remove(Exchange& exchange) { exchanges_.erase(&exchange); }
  std::size_t exchanges() const { return exchanges_.size(); }

  // A kept connection that is still good, or nullptr.
  std::unique_ptr<ClientConnection> take(const Endpoint& endpoint);
  void keep(const Endpoint& endpoint, std::unique_ptr<ClientConnection> connection);
  std::size_t kept() const { return kept_.size(); }

  // The certificates to trust, read at the first use.
  Result<boost::asio::ssl::context*> tls();

  bool closed() const { return closed_; }
  void close();

 private:
  struct Kept {
    std::string origin;
    std::unique_ptr<ClientConnection> connection;
    std::chrono::steady_clock::time_point until;
  };

  void arm();
  void on_tick();

  boost::asio::io_context& context_;
  const ClientOptions options_;
  const std::shared_ptr<HostNames> names_;
  std::unordered_set<Exchange*> exchanges_;
  std::list<Kept> kept_;  // the last used first
  std::optional<boost::asio::ssl::context> tls_;
  boost::asio::steady_timer tick_;
  bool armed_ = false;
  bool closed_ = false;
};

}  // namespace tars::net
