// A connection of one I/O thread that is not running: tests turn its context themselves.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "net/io/connection.h"
#include "net/io/io_thread.h"

namespace tars::net::testing {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

// Answers every request with its method and path, and echoes on WebSockets.
class PlainApplication : public Application {
 public:
  asio::awaitable<HttpResponse> handle(HttpRequest request) override {
    co_return HttpResponse{200, {}, request.method + " " + request.path};
  }
  asio::awaitable<std::variant<HttpResponse, Upgrade>> upgrade(HttpRequest) override {
    co_return Upgrade{"", &PlainApplication::echo};
  }
  HttpResponse error_response(unsigned status, std::string_view detail,
                              const HttpRequest&) override {
    return {status, {}, std::string(detail)};
  }

 private:
  static asio::awaitable<void> echo(std::unique_ptr<WebSocket> socket) {
    for (;;) {
      const auto message = co_await socket->read();
      if (!message) co_return;
      const auto sent = co_await socket->write(message->data);
      if (!sent) co_return;
    }
  }
};

struct Loopback {
  explicit Loopback(const std::shared_ptr<SSL_CTX>& tls = nullptr) {
    tcp::acceptor acceptor(peer_context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    peer.connect(acceptor.local_endpoint());
    Socket accepted(thread.context());
    acceptor.accept(accepted);
    accepted.non_blocking(true);
    count.add();
    connection = std::make_shared<Connection>(thread, std::move(accepted), "127.0.0.1", tls);
  }

  // Runs the task up to its first wait.
  template <class T>
  std::future<T> begin(asio::awaitable<T> task) {
    auto future = asio::co_spawn(thread.context(), std::move(task), asio::use_future);
    thread.context().restart();
    thread.context().poll();
    return future;
  }

  template <class T>
  T result_of(asio::awaitable<T> task) {
    return result_of(begin(std::move(task)));
  }

  // Runs what is ready, and what becomes so, until the future has its value.
  template <class T>
  T result_of(std::future<T> future) {
    const auto end = std::chrono::steady_clock::now() + 30s;
    thread.context().restart();
    while (future.wait_for(0s) != std::future_status::ready) {
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("not done in time");
      thread.context().run_one_for(10ms);
    }
    return future.get();
  }

  void peer_sends(std::string_view text) { asio::write(peer, asio::buffer(text)); }
  // What the peer has received up to the end of the stream.
  std::string rest_of_peer() {
    std::string all;
    boost::system::error_code ec;
    asio::read(peer, asio::dynamic_buffer(all), ec);
    return all;
  }

  ServerOptions options;
  PlainApplication application;
  ConnectionCount count;
  BodyBudget bodies{1 << 20};
  IoThread thread{options, application, count, bodies};
  asio::io_context peer_context;
  tcp::socket peer{peer_context};
  std::shared_ptr<Connection> connection;
};

}  // namespace tars::net::testing
