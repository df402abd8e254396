// One request to another server and its response, as the body comes.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "net/client/endpoint.h"
#include "net/client/response_parser.h"

namespace tars::net {

class ClientConnection;
class ClientState;
class HostLookup;

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";  // behind the endpoint's base path
  Headers headers = {};      // Host, Content-Length, Accept-Encoding are added
  std::string host = {};     // for the Host header; empty = the endpoint's
  std::string body = {};
};

// Made by HttpClient::open(); start() once, then read_body() until it gives nothing. Used on the
// client's thread only. Destroyed with its response read to the end, it leaves its connection for
// the next request; else the connection is closed.
//
// Errors: timeout once the deadline has passed; closed after close(); backend_unavailable when no
// connection could be made (nothing was sent); overloaded when that was for want of descriptors or
// memory here; io_error for the rest.
class Exchange {
 public:
  Exchange(std::shared_ptr<ClientState> client, const Endpoint& endpoint);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Sends the request, on a kept connection or a new one, and reads the response's head. A kept
  // connection that turns out to be closed by the peer before a byte of the response came, or on
  // which it answers 408, is replaced by a new one, once. The deadline counts from when the
  // connection stands; until then it is the client's connect_timeout.
  boost::asio::awaitable<Result<void>> start(ClientRequest request,
                                             std::chrono::milliseconds head_timeout);
  const ResponseHead& head() const { return parser_->head(); }

  // Everything that has come of the body since the last call, at least a byte; empty = it is
  // complete. The view lives until the next call.
  boost::asio::awaitable<Result<std::string_view>> read_body(std::chrono::milliseconds timeout);

  // The whole body of a small answer, at most `limit` bytes, within `timeout` in all. `trouble` is
  // what ended it early (payload_too_large past the limit), and `bytes` what had come by then: up
  // to one read more than the limit.
  struct Body {
    std::string bytes = {};
    std::optional<Error> trouble = std::nullopt;
  };
  boost::asio::awaitable<Body> read_all(std::size_t limit, std::chrono::milliseconds timeout);

  // The rest of the body, piece by piece as it comes: `take` is called with each (at least a byte),
  // then with nothing once the body is complete; ends where it returns false. Ends with timeout
  // after `timeout` whatever comes, unless `take` asks for more time by wait_at_most(): bytes alone
  // are no progress. For streams: a piece costs no turn of a coroutine.
  using Take = std::function<bool(std::string_view)>;
  boost::asio::awaitable<Result<void>> read_each(std::chrono::milliseconds timeout,
                                                 const Take& take);
  // The deadline is this far away from now.
  void wait_at_most(std::chrono::milliseconds timeout);

  // Ends whatever waits and closes the socket, at once; at any time after construction.
  void close();

  // When the request was on its way, the last time.
  std::chrono::steady_clock::time_point sent_at() const { return sent_at_; }
  bool complete() const { return parser_ && parser_->done(); }

  // -- for the client's tick
  void check_deadline(SteadyTime now);

 private:
  boost::asio::awaitable<Result<void>> attempt(std::string_view bytes,
                                               std::chrono::milliseconds head_timeout, bool kept);
  boost::asio::awaitable<Result<void>> connect();
  boost::asio::awaitable<Result<std::size_t>> read_some();
  template <class Handler>
  struct EachRead;
  template <class Handler>
  class PolledRead;
  boost::asio::awaitable<Result<void>> each_polled(const Take& take, int socket);
  boost::asio::awaitable<Result<void>> each_read(const Take& take);
  Result<void> feed(std::string_view bytes);
  std::optional<Result<void>> give(const Take& take);
  std::optional<Result<void>> on_read(const boost::system::error_code& ec, std::string_view bytes,
                                      const Take& take) noexcept;
  std::optional<Result<void>> took(const boost::system::error_code& ec, std::string_view bytes,
                                   const Take& take);
  Error explain(Error error) const;
  void drop_connection();

  const std::shared_ptr<ClientState> client_;
  const Endpoint endpoint_;
  std::unique_ptr<ClientConnection> connection_;
  std::unique_ptr<ResponseParser> parser_;
  std::string body_;
  std::optional<Error> broken_;  // found behind what is in body_
  std::exception_ptr fault_;  // thrown where only the event loop would have caught it
  bool spoiled_ = false;  // it carried what is no part of an answer
  bool given_ = false;  // what is in body_ was returned by read_body()
  std::unique_ptr<char[]> read_buffer_;
  std::unique_ptr<HostLookup> looking_up_;  // while it runs
  SteadyTime deadline_ = SteadyTime::max();
  SteadyTime sent_at_{};
  bool timed_out_ = false;
  bool closed_ = false;
  bool doubted_ = false;  // a kept connection, on which the request may get nowhere
};

}  // namespace tars::net
