// A stand-in for a host that drops what is sent to it: a listener that accepts nobody and whose
// queue is full, so that the kernel drops the handshakes of all who come later.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <sys/socket.h>

#include <list>

namespace tars::net::testing {

class SilentListener {
 public:
  using Tcp = boost::asio::ip::tcp;

  SilentListener() : acceptor_(context_) {
    const Tcp::endpoint anywhere(boost::asio::ip::make_address("127.0.0.2"), 0);
    acceptor_.open(anywhere.protocol());
    acceptor_.bind(anywhere);
    acceptor_.listen(0);
    for (int i = 0; i < 4; ++i) {
      Tcp::socket& socket = fill_.emplace_back(context_);
      socket.open(anywhere.protocol());
      socket.non_blocking(true);
      // Not Asio's, which waits for the end of it.
      const Tcp::endpoint full = acceptor_.local_endpoint();
      ::connect(socket.native_handle(), full.data(), static_cast<socklen_t>(full.size()));
    }
  }

  Tcp::endpoint address() const { return acceptor_.local_endpoint(); }

 private:
  boost::asio::io_context context_;
  Tcp::acceptor acceptor_;
  std::list<Tcp::socket> fill_;
};

}  // namespace tars::net::testing
