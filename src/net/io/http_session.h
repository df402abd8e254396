// The HTTP/1.1 side of a connection: requests in, responses out, upgrades handed on.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <memory>

#include "net/io/connection.h"

namespace tars::net {

// Serves one connection until it ends: any number of requests one after the other (RFC 9112;
// pipelined ones wait in the socket), or an upgrade and then its WebSocket session. Errors that the
// HTTP layer finds are answered through Application::error_response and close the connection.
boost::asio::awaitable<void> serve_connection(std::shared_ptr<Connection> connection);

}  // namespace tars::net
