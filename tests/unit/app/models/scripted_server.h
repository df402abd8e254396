// An HTTP server that says what the test wrote down, one connection after the other.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace tars::app {

// Each answer is the whole of one connection's bytes, after which it is closed. request(i) is what
// came on connection i, up to the end of its head.
class ScriptedServer {
 public:
  using Tcp = boost::asio::ip::tcp;
  explicit ScriptedServer(std::vector<std::string> answers)
      : acceptor_(context_, Tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)),
        answers_(std::move(answers)),
        thread_([this] { serve(); }) {}
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer() {
    if (!thread_.joinable()) return;
    // Whoever is still waited for comes now.
    boost::system::error_code ignored;
    stopping_ = true;
    Tcp::socket last(context_);
    last.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }

  std::string url(const std::string& path = "/m.gguf") const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + path;
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  // Once all answers were given.
  std::string request(std::size_t i) {
    if (thread_.joinable()) thread_.join();
    return requests_.at(i);
  }

 private:
  void serve() {
    for (const std::string& answer : answers_) {
      boost::system::error_code ec;
      Tcp::socket socket(context_);
      acceptor_.accept(socket, ec);
      if (stopping_) return;
      std::string request;
      boost::asio::read_until(socket, boost::asio::dynamic_buffer(request), "\r\n\r\n", ec);
      requests_.push_back(request);
      boost::asio::write(socket, boost::asio::buffer(answer), ec);
      socket.shutdown(Tcp::socket::shutdown_both, ec);
    }
  }

  boost::asio::io_context context_;
  Tcp::acceptor acceptor_;
  const std::vector<std::string> answers_;
  std::vector<std::string> requests_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

// Answers one request with `head`, then a byte each `pause` until the client leaves.
class DrippingServer {
 public:
  using Tcp = boost::asio::ip::tcp;
  DrippingServer(std::string head, std::chrono::milliseconds pause)
      : acceptor_(context_, Tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)),
        thread_([this, head = std::move(head), pause] { serve(head, pause); }) {}
  DrippingServer(const DrippingServer&) = delete;
  DrippingServer& operator=(const DrippingServer&) = delete;
  ~DrippingServer() { thread_.join(); }

  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/m.gguf";
  }

 private:
  void serve(const std::string& head, std::chrono::milliseconds pause) {
    boost::system::error_code ec;
    Tcp::socket socket(context_);
    acceptor_.accept(socket, ec);
    std::string request;
    boost::asio::read_until(socket, boost::asio::dynamic_buffer(request), "\r\n\r\n", ec);
    boost::asio::write(socket, boost::asio::buffer(head), ec);
    // For 20 s at most: a test whose client stays fails.
    for (auto left = std::chrono::milliseconds(20'000); !ec && left.count() > 0; left -= pause) {
      boost::asio::write(socket, boost::asio::buffer("x", 1), ec);
      std::this_thread::sleep_for(pause);
    }
  }

  boost::asio::io_context context_;
  Tcp::acceptor acceptor_;
  std::thread thread_;
};

inline std::string http(const std::string& status, const std::string& headers,
                        const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nConnection: close\r\n" + headers + "\r\n" + body;
}

}  // namespace tars::app
