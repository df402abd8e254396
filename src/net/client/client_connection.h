// One connection to another server: TCP, or TLS over it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tars::net {

// Owns its socket; closed by close() and by the destructor, at once. Used on its context's thread
// only. One connect(), write() or read() at a time; close() may come between and ends it.
class ClientConnection {
 public:
  using Tcp = boost::asio::ip::tcp;
  using Socket = boost::asio::basic_stream_socket<Tcp, boost::asio::io_context::executor_type>;

  explicit ClientConnection(boost::asio::io_context& context);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  // Tries the addresses in turn.
  boost::asio::awaitable<Result<void>> connect(std::vector<Tcp::endpoint> addresses);
  // The TLS handshake on a connection just made: SNI for names, the certificate's chain and its
  // name (RFC 6125) as `tls` and `host` ask. `tls` outlives the connection.
  boost::asio::awaitable<Result<void>> secure(boost::asio::ssl::context& tls,
                                              const std::string& host);

  boost::asio::awaitable<Result<void>> write(std::string_view bytes);
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

  // Nothing has come and the peer has not closed: good for another request.
  bool is_quiet();
  void close();

 private:
  Socket socket_;
  std::unique_ptr<boost::asio::ssl::stream<Socket&>> tls_;
};

}  // namespace tars::net
