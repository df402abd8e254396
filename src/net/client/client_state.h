// What the exchanges of one HttpClient share: kept connections, certificates, the deadlines.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <filesystem>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

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

  // Borrowed between the two: an exchange adds itself when it is made, and removes itself at the
  // latest in its destructor. While it is in, the tick looks at its deadline.
  void add(Exchange& exchange);
  void remove(Exchange& exchange) { exchanges_.erase(&exchange); }
  std::size_t exchanges() const { return exchanges_.size(); }

  // The kept connection that was used last and is still quiet, now the caller's, or nullptr.
  std::unique_ptr<ClientConnection> take(const Endpoint& endpoint);
  // Takes it over for ClientOptions::keep_alive; drops it where max_kept_per_origin are kept, and
  // after close().
  void keep(const Endpoint& endpoint, std::unique_ptr<ClientConnection> connection);
  std::size_t kept() const { return kept_.size(); }

  // The certificates to trust, read at the first use, and again once ClientOptions::ca_file has
  // changed, where a file that cannot be read changes nothing; to be used before the next call.
  // backend_unavailable when they never could be read, and the next call tries again.
  Result<boost::asio::ssl::context*> tls();

  bool closed() const { return closed_; }
  // Closes every exchange, drops what is kept and the timer. For good.
  void close();

 private:
  struct Kept {
    std::string origin;
    std::unique_ptr<ClientConnection> connection;
    std::chrono::steady_clock::time_point until;
  };

  bool ca_file_changed();
  void arm();
  void on_tick();

  boost::asio::io_context& context_;
  const ClientOptions options_;
  const std::shared_ptr<HostNames> names_;
  std::unordered_set<Exchange*> exchanges_;
  std::list<Kept> kept_;  // the last used first
  std::optional<boost::asio::ssl::context> tls_;
  std::filesystem::file_time_type ca_file_written_;  // when it was looked at last
  boost::asio::steady_timer tick_;
  bool armed_ = false;
  bool closed_ = false;
};

}  // namespace tars::net
