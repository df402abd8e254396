// The other end for tests of the client: a blocking listener whose connections a script serves one
// after the other, and a way to run coroutines to their end.
#pragma once

#include <gtest/gtest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "net/client/endpoint.h"

namespace tars::net::testing {

class LocalPeer {
 public:
  using Tcp = boost::asio::ip::tcp;
  using Script = std::function<void(Tcp::socket& socket, int number)>;

  explicit LocalPeer(Script script)
      : acceptor_(context_, Tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)),
        port_(acceptor_.local_endpoint().port()),
        thread_([this, script = std::move(script)] {
          for (int number = 0;; ++number) {
            boost::system::error_code ec;
            Tcp::socket socket(context_);
            acceptor_.accept(socket, ec);
            if (ec || stopping_) return;
            ++accepted;
            script(socket, number);
          }
        }) {}
  ~LocalPeer() {
    stopping_ = true;
    boost::system::error_code ignored;
    Tcp::socket last(context_);  // wakes accept()
    last.connect(Tcp::endpoint(boost::asio::ip::address_v4::loopback(), port_), ignored);
    thread_.join();
  }

  Endpoint endpoint() const { return {.host = "127.0.0.1", .port = port_}; }
  std::atomic<int> accepted{0};

 private:
  std::atomic<bool> stopping_{false};
  boost::asio::io_context context_;
  Tcp::acceptor acceptor_;
  const std::uint16_t port_;
  std::thread thread_;
};

// A request's head, "" when the client has closed.
inline std::string read_head(LocalPeer::Tcp::socket& socket) {
  std::string in;
  boost::system::error_code ec;
  boost::asio::read_until(socket, boost::asio::dynamic_buffer(in), "\r\n\r\n", ec);
  return ec ? std::string() : in;
}

inline void send(LocalPeer::Tcp::socket& socket, const std::string& bytes) {
  boost::system::error_code ignored;
  boost::asio::write(socket, boost::asio::buffer(bytes), ignored);
}

// Until the client closes.
inline void wait_for_close(LocalPeer::Tcp::socket& socket) {
  while (!read_head(socket).empty()) {
  }
}

// Runs `context` until `work` has ended; its result.
template <class T>
T run(boost::asio::io_context& context, boost::asio::awaitable<T> work) {
  std::optional<T> out;
  boost::asio::co_spawn(context, std::move(work), [&](const std::exception_ptr& fault, T result) {
    EXPECT_FALSE(fault);
    out.emplace(std::move(result));
  });
  context.restart();
  while (!out && context.run_one_for(std::chrono::seconds(20)) > 0) {
  }
  return std::move(out).value();
}

}  // namespace tars::net::testing
