// ws_echo: answers every WebSocket message with itself, on our own net layer, for conformance
// suites.
#include <CLI/CLI.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <cstdio>
#include <string>

#include "net/server.h"

namespace {

namespace asio = boost::asio;
using namespace tars;

// Suites send messages of 16 MiB; the slack keeps the limit itself out of their way.
constexpr std::size_t kMaxMessageBytes = 64 * 1024 * 1024;

asio::awaitable<void> echo(std::unique_ptr<net::WebSocket> socket) {
  for (;;) {
    auto message = co_await socket->read();
    if (!message) co_return;
    const auto sent = message->binary ? co_await socket->write_binary(message->data)
                                      : co_await socket->write(message->data);
    if (!sent) co_return;
  }
}

class Echo final : public net::Application {
 public:
  asio::awaitable<net::HttpResponse> handle(net::HttpRequest request) override {
    co_return net::HttpResponse{200, {{"Content-Type", "text/plain"}}, std::move(request.body)};
  }
  asio::awaitable<std::variant<net::HttpResponse, net::Upgrade>> upgrade(
      net::HttpRequest) override {
    co_return net::Upgrade{{}, echo};
  }
  net::HttpResponse error_response(unsigned status, std::string_view detail,
                                   const net::HttpRequest&) override {
    return {status, {{"Content-Type", "text/plain"}}, std::string(detail) + "\n"};
  }
};

}  // namespace

int main(int argc, char** argv) {
  net::ServerOptions options;
  options.port = 9001;
  options.max_message_bytes = kMaxMessageBytes;
  CLI::App cli("Echoes WebSocket messages and HTTP bodies.");
  cli.add_option("--port", options.port, "where to listen; 0 takes any free port");
  cli.add_option("--io-threads", options.io_threads, "I/O threads");
  CLI11_PARSE(cli, argc, argv);

  Echo application;
  net::Server server(options, application);
  if (const auto listening = server.listen(); !listening) {
    std::fprintf(stderr, "%s\n", listening.error().message.c_str());
    return 1;
  }
  asio::io_context signals;
  asio::signal_set waiting(signals, SIGTERM, SIGINT);
  waiting.async_wait([](const boost::system::error_code&, int) {});
  server.start();
  std::printf("listening on 127.0.0.1:%u\n", unsigned{server.port()});
  std::fflush(stdout);
  signals.run();
  server.stop(std::chrono::milliseconds(500));
  return 0;
}
