// The listening side: accepts, parses HTTP/1.1, bounds everything, hands over WebSocket upgrades.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "net/http.h"
#include "net/websocket.h"

namespace tars::net {

struct ServerOptions {
  std::string host = "127.0.0.1";
  // Listened on beside it, at the same port, where this machine has that address; empty: none.
  std::string second_host = {};
  std::uint16_t port = 8000;
  int io_threads = 1;
  // Before threads that compute, where that is allowed and while they use little of their core.
  bool threads_come_first = false;
  std::size_t max_header_bytes = 16 * 1024;      // 431 past it
  std::size_t max_body_bytes = 1024 * 1024;      // 413 past it, as soon as it is known
  std::size_t max_message_bytes = 256 * 1024;    // WebSocket: 1009 past it
  // For more, the connection that is idle longest, for a second at least, ends; then one that
  // lingers behind its answer, then the one that sends its request for longest. Where the I/O
  // thread that is asked has none of them, they wait in the kernel's queue.
  std::size_t max_connections = 4096;
  std::chrono::seconds header_timeout{
      10};       // from the first byte (or accept) to the last header: 408
  std::chrono::seconds body_timeout{30};         // 408; with no progress for 10 s: 408 too
  std::chrono::seconds idle_timeout{75};         // keep-alive connection between requests
  std::chrono::seconds handshake_timeout{10};    // WebSocket upgrade
  std::filesystem::path tls_certificate;         // PEM, the chain; empty: plain HTTP
  std::filesystem::path tls_key;                 // PEM, of that certificate
};

// The answer to an upgrade request: refuse with a response, or accept and run a session. The
// session coroutine runs on the connection's thread and owns nothing that outlives it but the
// WebSocket.
struct Upgrade {
  std::string subprotocol;  // echoed when not empty
  std::function<boost::asio::awaitable<void>(std::unique_ptr<WebSocket>)> session;
  std::string traceparent = {};  // of the answer, when not empty
};

// What the server asks the application. All members are called on I/O threads, at once from
// several, and must not block. An exception becomes a 500 and is logged; it never ends the process.
class Application {
 public:
  virtual ~Application() = default;
  // Whether the answer can depend on the body; of the request, method, target, path, query and
  // headers are there. With false, handle() is asked as soon as the headers are known, and a
  // connection on which the body is not here by then closes after the answer.
  virtual bool needs_body(const HttpRequest& request) const {
    static_cast<void>(request);
    return true;
  }
  virtual boost::asio::awaitable<HttpResponse> handle(HttpRequest request) = 0;
  // Whether a request for a WebSocket goes to upgrade(); else `Upgrade` is ignored, as a server may
  // (RFC 9110 section 7.8), and handle() is asked. Of the request, everything is there.
  virtual bool may_upgrade(const HttpRequest& request) const {
    static_cast<void>(request);
    return true;
  }
  // Only for GET with `Upgrade: websocket` and `Connection: Upgrade`.
  virtual boost::asio::awaitable<std::variant<HttpResponse, Upgrade>> upgrade(
      HttpRequest request) = 0;
  // The answer to an error that the HTTP layer itself found (400, 408, 413, 426, 431, 500, 501,
  // 503, 505): api/ makes it a problem document. The request is there as far as it was read.
  virtual HttpResponse error_response(unsigned status, std::string_view detail,
                                      const HttpRequest& request) = 0;
};

// Owns the I/O threads, one io_context and one acceptor (SO_REUSEPORT) each, and every connection.
// Thread-safe from outside. Bounded: connections, header, body and message bytes, every wait, and
// what request bodies have beyond 64 KiB, all connections together (64 MiB, or four of the
// largest: 503 past it).
// When descriptors run out (EMFILE, ENFILE, ENOBUFS) and somebody waits for one, a connection of
// that I/O thread ends as past ServerOptions::max_connections; accepting pauses 100 ms and goes on.
class Server {
 public:
  Server(ServerOptions options, Application& application);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Reads the certificate, binds and listens. That the second host cannot be listened on is no
  // error, and a warning where another program has the port there. config_error naming the option
  // (TLS_CERT_PATH, TLS_KEY_PATH, TARS_PORT, TARS_HOST) and the fix when it cannot.
  Result<void> listen();
  // The bound port (for port 0).
  std::uint16_t port() const;
  bool is_secure() const;
  // Reads certificate and key again, for connections to come; those that are open keep theirs. On
  // an error the old ones stay. Does nothing without TLS.
  Result<void> reload_certificate();
  // Starts the I/O threads and returns.
  void start();
  // Closes listeners and idle connections, waits up to `grace` for the rest, drops what is left and
  // joins. Before it, answering 503 is the application's business. Later calls do nothing.
  void stop(std::chrono::milliseconds grace);

  // The io_contexts, for timers and posts of the owner; index 0 always exists.
  boost::asio::io_context& context(std::size_t index = 0);
  std::size_t open_connections() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tars::net
