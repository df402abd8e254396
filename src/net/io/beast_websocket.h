// Making a WebSocket out of a connection whose upgrade request was accepted.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

#include "net/io/connection.h"
#include "net/websocket.h"

namespace tars::net {

struct WebSocketHandshake {
  std::string key;          // Sec-WebSocket-Key
  std::string subprotocol;  // to echo, or empty
  std::string request_id;
  std::size_t max_message_bytes = 0;
  std::string traceparent = {};  // or empty
};

// Answers 101 (RFC 6455 section 4.2.2) and gives the open WebSocket, which shares the connection
// and holds nothing of the handshake. Null when the peer went away or took longer than the
// connection's deadline.
boost::asio::awaitable<std::unique_ptr<WebSocket>> accept_websocket(
    std::shared_ptr<Connection> connection, WebSocketHandshake handshake);

}  // namespace tars::net
