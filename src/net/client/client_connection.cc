#include "net/client/client_connection.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "net/client/read_poller.h"

namespace tars::net {
namespace {

namespace asio = boost::asio;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// A peer that vanished while nothing is sent is found after half a minute: 15 s of silence, then
// three questions 5 s apart.
void keep_alive(int socket) {
  const auto set = [socket](int level, int option, int value) {
    ::setsockopt(socket, level, option, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

Error failed(const boost::system::error_code& ec) {
  return make_error(ErrorCode::io_error, ec.message());
}

bool is_address(const std::string& host) {
  boost::system::error_code ec;
  asio::ip::make_address(host, ec);
  return !ec;
}

bool would_block(const boost::system::error_code& ec) {
  return ec == asio::error::would_block || ec == asio::error::try_again;
}

}  // namespace

ClientConnection::ClientConnection(asio::io_context& context)
    : context_(context), socket_(context) {}

ClientConnection::~ClientConnection() { close(); }

asio::awaitable<Result<void>> ClientConnection::connect(std::vector<Tcp::endpoint> addresses,
                                                        std::chrono::milliseconds stagger) {
  const auto race = std::make_shared<ConnectRace>(context_, addresses, stagger);
  race_ = race;
  const Result<void> connected = co_await race->run();
  race_.reset();
  if (!connected) co_return connected.error();
  socket_ = race->take();
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(Tcp::no_delay(true), ignored);
  keep_alive(socket_.native_handle());
  co_return Result<void>();
}

asio::awaitable<Result<void>> ClientConnection::secure(asio::ssl::context& tls,
                                                       const std::string& host) {
  tls_ = std::make_unique<asio::ssl::stream<Socket&>>(socket_, tls);
  auto* const handle = tls_->native_handle();
  // RFC 6066 section 3: no literal addresses in SNI.
  if (!is_address(host)) SSL_set_tlsext_host_name(handle, host.c_str());
  // By OpenSSL itself, which then names the fault.
  const int named = is_address(host)
                        ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(handle), host.c_str())
                        : SSL_set1_host(handle, host.c_str());
  if (named != 1) co_return make_error(ErrorCode::io_error, "no certificate can name " + host);
  boost::system::error_code ec;
  std::tie(ec) = co_await tls_->async_handshake(asio::ssl::stream_base::client, kAwait);
  if (!ec) co_return Result<void>();
  const long verified = SSL_get_verify_result(handle);
  if (verified == X509_V_OK) co_return failed(ec);
  co_return make_error(ErrorCode::io_error,
                       std::string("its certificate is not trusted for this name: ") +
                           X509_verify_cert_error_string(verified));
}

asio::awaitable<Result<void>> ClientConnection::write(std::string_view bytes) {
  boost::system::error_code ec;
  std::size_t sent = 0;
  if (tls_) {
    std::tie(ec, sent) = co_await asio::async_write(*tls_, asio::buffer(bytes), kAwait);
  } else {
    std::tie(ec, sent) = co_await asio::async_write(socket_, asio::buffer(bytes), kAwait);
  }
  if (ec) co_return failed(ec);
  co_return Result<void>();
}

void ClientConnection::give_up_unacknowledged(std::chrono::milliseconds after) {
  const auto value = static_cast<unsigned>(after.count());  // RFC 5482
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &value, sizeof value);
}

bool ClientConnection::is_acknowledged() {
  int waiting = 0;
  return ::ioctl(socket_.native_handle(), SIOCOUTQ, &waiting) == 0 && waiting == 0;
}

asio::awaitable<Result<std::size_t>> ClientConnection::read(char* buffer, std::size_t size) {
  const auto [ec, n] =
      co_await asio::async_initiate<decltype(kAwait), void(boost::system::error_code, std::size_t)>(
          [this, buffer, size](auto handler) { async_read(buffer, size, std::move(handler)); },
          kAwait);
  if (is_end(ec)) co_return std::size_t{0};
  if (ec) co_return failed(ec);
  co_return n;
}

// Whoever cuts the connection inside the answer is found by the length or the last chunk.
bool ClientConnection::is_end(const boost::system::error_code& ec) {
  return ec == asio::error::eof || ec == asio::ssl::error::stream_truncated;
}

bool ClientConnection::is_quiet() {
  if (!socket_.is_open()) return false;
  boost::system::error_code ec;
  std::array<char, 1> byte{};
  socket_.receive(asio::buffer(byte), Socket::message_peek, ec);
  return would_block(ec);
}

Result<int> ClientConnection::detach() {
  boost::system::error_code ec = asio::error::operation_not_supported;
  const Tcp::endpoint local = tls_ ? Tcp::endpoint() : socket_.local_endpoint(ec);
  if (!ec) detached_ = socket_.release(ec);
  if (ec) return failed(ec);
  protocol_ = local.protocol();
  return detached_;
}

Result<void> ClientConnection::attach() {
  if (detached_ == kNone) return failed(asio::error::bad_descriptor);  // closed meanwhile
  boost::system::error_code ec;
  socket_.assign(protocol_, detached_, ec);
  if (!ec) detached_ = kNone;
  if (!ec) socket_.non_blocking(true, ec);
  if (!ec) return {};
  close();
  return failed(ec);
}

void ClientConnection::close() {
  if (race_) race_->cancel();
  if (detached_ != kNone) {
    asio::use_service<ReadPoller>(context_).abort(detached_);
    ::close(std::exchange(detached_, kNone));
  }
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace tars::net
