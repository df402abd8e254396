// One connection to another server: TCP, or TLS over it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"

// From OpenSSL and Asio, kept out of this header: both are slow to compile.
namespace boost::asio::ssl {
class context;
}

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

  // Nothing has come and the peer has not closed: good for another request.
  bool is_quiet();
  void close();

 private:
  struct Tls;

  Socket socket_;
  std::unique_ptr<Tls> tls_;
};

}  // namespace tars::net
