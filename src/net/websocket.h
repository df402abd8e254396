// One WebSocket connection (RFC 6455), server side.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tars::net {

// Close codes of RFC 6455 section 7.4.1 that this program sends or tells apart.
enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  no_status = 1005,
  abnormal = 1006,
  invalid_payload = 1007,
  policy_violation = 1008,
  message_too_big = 1009,
  internal_error = 1011,
  try_again_later = 1013,
};

struct WsMessage {
  std::string data;
  bool binary = false;
};

// How a connection ended: the code the peer sent, or the one that was sent to it (also by the
// WebSocket itself, for a message that is too long or against the protocol); `abnormal` when no
// close frame went either way.
struct WsClosed {
  CloseCode code = CloseCode::abnormal;
  std::string reason;
};

// Owned by its session coroutine; all members are called on that connection's executor. One read
// and one write may be in progress at once, and no more. A message over the limit, bad UTF-8 and
// protocol errors are answered with their close code by this class; read() then returns the error.
class WebSocket {
 public:
  virtual ~WebSocket() = default;

  // The next whole message; on an end `closed` is filled and the result is ErrorCode::closed.
  virtual boost::asio::awaitable<Result<WsMessage>> read() = 0;
  // Sends one text message in one frame. ErrorCode::closed when the peer is gone. `text` must stay
  // valid until the co_await returns.
  virtual boost::asio::awaitable<Result<void>> write(std::string_view text) = 0;
  // The same with a binary message; the default refuses, for doubles in tests.
  virtual boost::asio::awaitable<Result<void>> write_binary(std::string_view data);
  // Sends one text message without waiting: what the kernel does not take at once is kept, and
  // is_backed_up() until flush() has sent it. False, and nothing sent, while it is backed up or
  // when the peer is gone. For the moment between two waits: it may be called while no other write
  // is in progress. The default never can, for doubles in tests.
  virtual bool write_now(std::string_view text);
  virtual bool is_backed_up() const { return false; }
  // Waits until nothing is kept. ErrorCode::closed when the peer is gone. Counts as the one write.
  virtual boost::asio::awaitable<Result<void>> flush();
  // Sends a ping control frame. Counts as the one write.
  virtual boost::asio::awaitable<Result<void>> ping() = 0;
  // Sends a close frame (reason at most 123 bytes), waits for the peer's up to 2 s, closes the
  // socket; read() then returns. Counts as the one write: a write in progress must have returned,
  // or be abandoned with abort() instead.
  virtual boost::asio::awaitable<void> close(CloseCode code, std::string_view reason) = 0;
  // Tries to send a close frame without waiting for the socket to drain, then drops the connection
  // at once. Both read() and write() return. For a peer that takes nothing any more. Where the
  // connection is ending already, after the peer's close frame or a fault of it that it was told,
  // that end keeps its 2 s.
  virtual void abort(CloseCode code, std::string_view reason) = 0;

  // Has `then` called when the peer's close frame is here: from within read(), which returns only
  // once the answer to it is sent. closed() tells the peer's code from then on. The default never
  // calls, for doubles in tests.
  virtual void when_peer_closes(std::function<void()> then);

  // How the connection ended, once read() has returned an error.
  virtual const WsClosed& closed() const = 0;
  // Steady time of the last frame of any kind, control frames included.
  virtual std::chrono::steady_clock::time_point last_activity() const = 0;
  // Bytes handed to the kernel so far: tells a slow reader from one that takes nothing.
  virtual std::uint64_t bytes_written() const = 0;
  virtual boost::asio::any_io_executor executor() const = 0;
};

}  // namespace tars::net
