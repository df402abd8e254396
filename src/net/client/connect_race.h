// One connection to the first of several addresses that answers.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"

namespace tars::net {

// RFC 8305, sections 4 and 5: the families in turn, the first of them first, and an attempt every
// `stagger` beside those that still run, or at once when one fails. So an address that drops what
// is sent to it costs `stagger` and not the whole time. Bounded: 16 addresses, the rest is left
// out. On its context's thread; the caller holds a share until run() has ended.
class ConnectRace : public std::enable_shared_from_this<ConnectRace> {
 public:
  using Tcp = boost::asio::ip::tcp;
  using Socket = boost::asio::basic_stream_socket<Tcp, boost::asio::io_context::executor_type>;

  ConnectRace(boost::asio::io_context& context, const std::vector<Tcp::endpoint>& addresses,
              std::chrono::milliseconds stagger);

  // Once. The others are closed when one is connected. io_error with the first attempt's reason
  // when all failed, overloaded where one could not be made for want of descriptors or memory here;
  // has no deadline but cancel(), after which it is closed.
  boost::asio::awaitable<Result<void>> run();
  // The connected socket, after a run() that succeeded; once.
  Socket take() { return *std::move(winner_); }
  // Closes every socket at once.
  void cancel();

 private:
  void begin_next();
  void on_connected(std::list<Socket>::iterator socket, const boost::system::error_code& ec);

  boost::asio::io_context& context_;
  std::vector<Tcp::endpoint> addresses_;
  const std::chrono::milliseconds stagger_;
  std::size_t next_ = 0;
  std::list<Socket> sockets_;  // of attempts that run; a callback's place in it stays
  boost::asio::steady_timer pause_;
  std::optional<Socket> winner_;
  boost::system::error_code first_error_;
  boost::system::error_code want_;  // of descriptors or memory
  bool cancelled_ = false;
};

// The same addresses, families in turn.
std::vector<ConnectRace::Tcp::endpoint> interleave(
    const std::vector<ConnectRace::Tcp::endpoint>& addresses);

}  // namespace tars::net
