#include "net/io/tls_stream.h"

#include <boost/asio/error.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <new>

namespace tars::net {
namespace {

namespace asio = boost::asio;

int descriptor_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int transferred(BIO* bio, ssize_t n, int retry) {
  BIO_clear_retry_flags(bio);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
  return static_cast<int>(n);
}

// OpenSSL's own socket BIO calls write(), which raises SIGPIPE where the peer is gone.
int bio_write(BIO* bio, const char* bytes, int size) {
  return transferred(
      bio, ::send(descriptor_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL),
      BIO_FLAGS_WRITE);
}

int bio_read(BIO* bio, char* into, int size) {
  const ssize_t n = ::recv(descriptor_of(bio), into, static_cast<std::size_t>(size), 0);
  if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return transferred(bio, n, BIO_FLAGS_READ);
}

// An end without close_notify is told from an error by asking for BIO_CTRL_EOF.
long bio_ctrl(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* socket_method() {
  static const auto method = [] {
    std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> out(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE"),
        BIO_meth_free);
    if (!out) throw std::bad_alloc();
    BIO_meth_set_write(out.get(), bio_write);
    BIO_meth_set_read(out.get(), bio_read);
    BIO_meth_set_ctrl(out.get(), bio_ctrl);
    return out;
  }();
  return method.get();
}

}  // namespace

TlsStream::TlsStream(const std::shared_ptr<SSL_CTX>& context, int descriptor)
    : ssl_(SSL_new(context.get()), SSL_free) {
  BIO* bio = BIO_new(socket_method());
  if (!ssl_ || bio == nullptr) {
    BIO_free(bio);
    throw std::bad_alloc();
  }
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
}

TlsStep TlsStream::outcome(int result) {
  if (result > 0) return {{}, static_cast<std::size_t>(result), false};
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return {asio::error::would_block, 0, false};
    case SSL_ERROR_WANT_WRITE: return {asio::error::would_block, 0, true};
    case SSL_ERROR_ZERO_RETURN: return {asio::error::eof, 0, false};
    default:
      broken_ = true;
      peer_spoke_http_ = ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST;
      ERR_clear_error();
      return {asio::error::connection_reset, 0, false};
  }
}

TlsStep TlsStream::handshake() {
  if (broken_) return {asio::error::connection_reset, 0, false};
  ERR_clear_error();
  TlsStep step = outcome(SSL_do_handshake(ssl_.get()));
  established_ = !step.error;
  return step;
}

TlsStep TlsStream::read(std::span<char> into) {
  if (broken_) return {asio::error::connection_reset, 0, false};
  ERR_clear_error();
  const int size = static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX));
  return outcome(SSL_read(ssl_.get(), into.data(), size));
}

TlsStep TlsStream::write(std::string_view bytes) {
  if (broken_) return {asio::error::connection_reset, 0, false};
  if (bytes.empty()) return {};
  ERR_clear_error();
  const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
  return outcome(SSL_write(ssl_.get(), bytes.data(), size));
}

void TlsStream::say_goodbye() {
  if (broken_ || !established_) return;
  ERR_clear_error();
  // Not waited for: RFC 8446 section 6.1 lets each side close its own direction.
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void TlsStream::end() {
  say_goodbye();
  broken_ = true;
}

bool TlsStream::has_pending() const { return SSL_has_pending(ssl_.get()) == 1; }

}  // namespace tars::net
