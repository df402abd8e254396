// A server with an application that each test shapes.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "net/server.h"
#include "raw_client.h"

namespace tars::net::testing {

using namespace std::chrono_literals;
namespace asio = boost::asio;

using Session = std::function<asio::awaitable<void>(std::unique_ptr<WebSocket>)>;

inline asio::awaitable<void> echo_session(std::unique_ptr<WebSocket> socket) {
  for (;;) {
    auto message = co_await socket->read();
    if (!message) co_return;
    if (!co_await socket->write(message->data)) co_return;
  }
}

// Answers /echo with the body, /missing with 404 and without waiting for a body, /secure with 418
// unless over TLS, /throw with a fault, /inject with headers that try to end their line, /wait
// after `wait`, /busy after 2 ms in which it keeps the thread, /big with 8 MiB, /peer with the
// peer's address, all else with method, path and query. /plain becomes no WebSocket.
class TestApplication : public Application {
 public:
  bool needs_body(const HttpRequest& request) const override { return request.path != "/missing"; }
  bool may_upgrade(const HttpRequest& request) const override { return request.path != "/plain"; }
  asio::awaitable<HttpResponse> handle(HttpRequest request) override {
    ++requests;
    HttpResponse response{200, {{"Content-Type", "text/plain"}}, {}};
    if (request.path == "/throw") throw std::runtime_error("on purpose");
    if (request.path == "/missing") response.status = 404;
    if (request.path == "/empty") response.status = 204;
    if (request.path == "/secure") response.status = request.secure ? 200 : 418;
    if (request.path == "/inject") {
      response.headers.emplace_back("X-Safe", "a\r\nX-Evil: 1");
      response.headers.emplace_back("X-Evil\r\nX-Other", "1");
      response.headers.emplace_back("Content-Length", "1");
    }
    if (request.path == "/busy") std::this_thread::sleep_for(2ms);
    if (request.path == "/wait") {
      asio::steady_timer timer(co_await asio::this_coro::executor, wait);
      co_await timer.async_wait(asio::use_awaitable);
    }
    if (request.path == "/big") {
      response.body.assign(8 << 20, 'x');
    } else if (request.path == "/peer") {
      response.body = request.remote_address;
    } else if (request.path == "/echo") {
      response.body = std::move(request.body);
    } else {
      response.body = request.method + " " + request.path;
      for (const auto& [key, value] : request.query) response.body += " " + key + "=" + value;
    }
    co_return response;
  }

  asio::awaitable<std::variant<HttpResponse, Upgrade>> upgrade(HttpRequest request) override {
    if (request.query_param("refuse")) co_return HttpResponse{403, {}, "no"};
    if (request.query_param("throw")) throw std::runtime_error("on purpose");
    co_return Upgrade{request.header("Sec-WebSocket-Protocol") ? "tars.v1" : "", session};
  }

  HttpResponse error_response(unsigned status, std::string_view detail,
                              const HttpRequest&) override {
    return {status, {{"Content-Type", "application/problem+json"}}, std::string(detail)};
  }

  Session session = echo_session;
  std::chrono::milliseconds wait{3'600'000};
  std::atomic<int> requests{0};
};

struct TestServer {
  explicit TestServer(ServerOptions options = {}) : server(with_free_port(options), application) {
    const auto listening = server.listen();
    if (!listening) throw std::runtime_error(listening.error().message);
    server.start();
  }
  static ServerOptions with_free_port(ServerOptions options) {
    options.port = 0;
    return options;
  }
  RawClient client() { return RawClient(server.port()); }

  // Waits for the number of open connections to become `wanted`; false when it does not.
  bool settles_at(std::size_t wanted) {
    for (int i = 0; i < 1000; ++i) {
      if (server.open_connections() == wanted) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  TestApplication application;
  Server server;
};

}  // namespace tars::net::testing
