#include "net/client/connect_race.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

#include "net/out_of_resources.h"

namespace tars::net {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMaxAddresses = 16;

}  // namespace

ConnectRace::ConnectRace(asio::io_context& context, const std::vector<Tcp::endpoint>& addresses,
                         std::chrono::milliseconds stagger)
    : context_(context), addresses_(interleave(addresses)), stagger_(stagger), pause_(context) {
  addresses_.resize(std::min(addresses_.size(), kMaxAddresses));
}

asio::awaitable<Result<void>> ConnectRace::run() {
  while (!winner_ && !cancelled_) {
    if (next_ < addresses_.size()) begin_next();
    const bool last = next_ == addresses_.size();
    if (last && sockets_.empty()) break;
    // Each attempt's end wakes it, too.
    pause_.expires_at(last ? asio::steady_timer::time_point::max()
                           : asio::steady_timer::clock_type::now() + stagger_);
    co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  const bool cancelled = cancelled_;
  cancel();
  if (cancelled) co_return make_error(ErrorCode::closed, "the connection was given up");
  if (winner_) co_return Result<void>();
  if (want_) {
    co_return make_error(ErrorCode::overloaded, "no socket can be opened: " + want_.message());
  }
  co_return make_error(ErrorCode::io_error,
                       first_error_ ? first_error_.message() : "there is no address");
}

void ConnectRace::begin_next() {
  const Tcp::endpoint& address = addresses_[next_++];
  const auto socket = sockets_.emplace(sockets_.end(), context_);
  // Opens the socket; where that fails, too, it is told by the callback.
  socket->async_connect(address,
                        [self = shared_from_this(), socket](const boost::system::error_code& ec) {
                          self->on_connected(socket, ec);
                        });
}

void ConnectRace::on_connected(std::list<Socket>::iterator socket,
                               const boost::system::error_code& ec) {
  if (!ec && !winner_ && !cancelled_) winner_ = std::move(*socket);
  if (ec && !first_error_) first_error_ = ec;
  if (is_out_of_resources(ec)) want_ = ec;
  sockets_.erase(socket);
  pause_.cancel();
}

void ConnectRace::cancel() {
  cancelled_ = true;
  pause_.cancel();
  boost::system::error_code ignored;
  for (Socket& socket : sockets_) socket.close(ignored);
}

std::vector<ConnectRace::Tcp::endpoint> interleave(
    const std::vector<ConnectRace::Tcp::endpoint>& addresses) {
  std::vector<ConnectRace::Tcp::endpoint> out;
  if (addresses.empty()) return out;
  const auto family = addresses.front().protocol();
  std::vector<ConnectRace::Tcp::endpoint> others;
  for (const auto& address : addresses) {
    (address.protocol() == family ? out : others).push_back(address);
  }
  // Behind the first of the one comes the first of the other, and so on.
  for (std::size_t i = 0; i < others.size(); ++i) {
    const std::size_t at = std::min(2 * i + 1, out.size());
    out.insert(out.begin() + static_cast<std::ptrdiff_t>(at), others[i]);
  }
  return out;
}

}  // namespace tars::net
