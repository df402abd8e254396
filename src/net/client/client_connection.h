// One connection to another server: TCP, or TLS over it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/client/connect_race.h"

namespace tars::net {

// Owns its socket; closed by close() and by the destructor, at once. Used on its context's thread
// only. One connect(), write() or read() at a time; close() may come between and ends it.
class ClientConnection {
 public:
  using Tcp = ConnectRace::Tcp;
  using Socket = ConnectRace::Socket;

  explicit ClientConnection(boost::asio::io_context& context);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  // To the first of the addresses that answers; see ConnectRace. Has no deadline but close().
  boost::asio::awaitable<Result<void>> connect(
      std::vector<Tcp::endpoint> addresses,
      std::chrono::milliseconds stagger = std::chrono::milliseconds(250));
  // The TLS handshake on a connection just made: SNI for names, the certificate's chain and its
  // name (RFC 6125) as `tls` and `host` ask. `tls` outlives the connection.
  boost::asio::awaitable<Result<void>> secure(boost::asio::ssl::context& tls,
                                              const std::string& host);

  boost::asio::awaitable<Result<void>> write(std::string_view bytes);
  // What was sent and is not acknowledged for that long breaks the connection; also what a peer has
  // no room for, because it does not read.
  void give_up_unacknowledged(std::chrono::milliseconds after);
  // Whether the peer's system has all that was written.
  bool is_acknowledged();
  // What the socket has, at most `size`; 0 bytes = the peer closed.
  boost::asio::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size);
  // The same for a completion handler (error_code, bytes); is_end() tells the peer's close.
  template <class Handler>
  void async_read(char* buffer, std::size_t size, Handler handler) {
    if (tls_) {
      tls_->async_read_some(boost::asio::buffer(buffer, size), std::move(handler));
    } else {
      // Not async_wait() with a read after it, which costs a call of epoll_ctl each time.
      socket_.async_read_some(boost::asio::buffer(buffer, size), std::move(handler));
    }
  }
  static bool is_end(const boost::system::error_code& ec);

  // For ReadPoller: the socket leaves Asio's reactor, and comes back with attach(). In between only
  // close() may be called; it ends the poller's reader. io_error where there is none to give (TLS,
  // closed).
  Result<int> detach();
  Result<void> attach();
  bool is_detached() const { return detached_ != kNone; }

  // Nothing has come and the peer has not closed: good for another request.
  bool is_quiet();
  void close();
  int native_handle() { return socket_.native_handle(); }

 private:
  static constexpr int kNone = -1;

  boost::asio::io_context& context_;
  Socket socket_;
  std::shared_ptr<ConnectRace> race_;  // while it connects
  std::unique_ptr<boost::asio::ssl::stream<Socket&>> tls_;
  Tcp protocol_ = Tcp::v4();  // of the socket while it is detached
  int detached_ = kNone;
};

}  // namespace tars::net
