#include "net/io/connection.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "net/io/io_thread.h"

namespace tars::net {
namespace {

namespace asio = boost::asio;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

bool would_block(const boost::system::error_code& ec) {
  return ec == asio::error::would_block || ec == asio::error::try_again;
}

}  // namespace

Connection::Connection(IoThread& thread, Socket socket, std::string remote_address)
    : thread_(thread), socket_(std::move(socket)), remote_address_(std::move(remote_address)) {}

Connection::~Connection() {
  close();
  thread_.connection_ended();
}

asio::awaitable<Connection::Received> Connection::receive(bool more_expected) {
  bool wait = !more_expected;
  for (;;) {
    boost::system::error_code ec;
    if (wait) {
      std::tie(ec) = co_await socket_.async_wait(Socket::wait_read, kAwait);
      if (ec) co_return Received{ec, {}};
    }
    auto& buffer = thread_.read_buffer();
    const std::size_t n = socket_.read_some(asio::buffer(buffer), ec);
    if (!would_block(ec)) co_return Received{ec, std::string_view(buffer.data(), n)};
    wait = true;
  }
}

asio::awaitable<bool> Connection::send(std::string_view first, std::string_view second,
                                       std::chrono::seconds timeout) {
  boost::system::error_code ec;
  std::array<asio::const_buffer, 2> parts{asio::buffer(first), asio::buffer(second)};
  std::size_t sent = socket_.write_some(parts, ec);
  if (ec && !would_block(ec)) co_return false;
  if (sent == first.size() + second.size()) co_return true;

  const std::string rest(first.substr(std::min(sent, first.size())));
  second.remove_prefix(sent - (first.size() - rest.size()));
  first = rest;
  while (!first.empty() || !second.empty()) {
    set_deadline_in(timeout);
    parts = {asio::buffer(first), asio::buffer(second)};
    std::tie(ec, sent) = co_await socket_.async_write_some(parts, kAwait);
    if (ec) co_return false;
    const std::size_t of_first = std::min(sent, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(sent - of_first);
  }
  clear_deadline();
  co_return true;
}

asio::awaitable<void> Connection::linger(std::chrono::seconds limit) {
  phase = Phase::lingering;
  boost::system::error_code ec;
  socket_.shutdown(Socket::shutdown_send, ec);
  if (ec) co_return;
  set_deadline_in(limit);
  bool more = true;
  for (;;) {
    const auto received = co_await receive(more);
    if (received.error) co_return;
    // A peer that sends without pause would otherwise keep this thread: let others run.
    more = false;
  }
}

void Connection::set_deadline(SteadyTime at) {
  deadline_ = at;
  timed_out_ = false;
}

void Connection::set_deadline_in(std::chrono::milliseconds from_now) {
  set_deadline(std::chrono::steady_clock::now() + from_now);
}

void Connection::check_deadline(SteadyTime now) {
  if (now < deadline_) return;
  timed_out_ = true;
  if (phase == Phase::lingering || phase == Phase::websocket) {
    close();
  } else {
    // Again at the next look, should no operation be waiting at this moment.
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }
}

void Connection::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace tars::net
