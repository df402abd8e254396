// TLS (RFC 8446, RFC 5246) over one non-blocking socket, as steps that never wait.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "net/io/tls_context.h"

// From OpenSSL, which is kept out of this header.
using SSL = struct ssl_st;

namespace tars::net {

// What a step came to. With would_block as error the caller waits until the socket can be read or,
// with `wants_write`, written, and takes the same step again, a write with the same bytes.
struct TlsStep {
  boost::system::error_code error;  // eof when the peer is done
  std::size_t bytes = 0;
  bool wants_write = false;
};

// Owns the TLS state of one connection and borrows its descriptor, which must be non-blocking and
// outlive it. Used on its connection's thread only. OpenSSL works on the descriptor itself, so that
// no bytes are copied between the two and an idle connection has no buffers.
class TlsStream {
 public:
  TlsStream(const std::shared_ptr<SSL_CTX>& context, int descriptor);

  TlsStep handshake();
  TlsStep read(std::span<char> into);
  // As much of `bytes` as the socket takes.
  TlsStep write(std::string_view bytes);
  // Tells the peer that nothing more comes (close_notify), as far as the socket takes it.
  void say_goodbye();
  // Says so too, and never touches the descriptor again, which is about to be closed.
  void end();

  // Bytes that were received and deciphered already: reading them needs no readable socket.
  bool has_pending() const;
  // The handshake failed because the peer spoke plain HTTP.
  bool peer_spoke_http() const { return peer_spoke_http_; }

 private:
  TlsStep outcome(int result);

  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  bool established_ = false;
  bool broken_ = false;  // after a fatal error OpenSSL must not be asked again
  bool peer_spoke_http_ = false;
};

}  // namespace tars::net
