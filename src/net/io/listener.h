// Opening the listening sockets, with errors that a person can act on.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"

namespace tars::net {

// The executor is a concrete type: an any_io_executor would cost an indirect call per operation.
using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp,
                                                    boost::asio::io_context::executor_type>;

// The address `host` stands for (a numeric address or a name) with `port`. config_error naming
// TARS_HOST when there is none.
Result<boost::asio::ip::tcp::endpoint> resolve_listen_address(const std::string& host,
                                                              std::uint16_t port);

// Binds and listens. With `shared`, other sockets of this process may bind the same port and the
// kernel spreads connections over them (SO_REUSEPORT); open one unshared first, because only that
// one notices that somebody else listens there already. config_error naming TARS_PORT or TARS_HOST
// and the fix.
Result<Acceptor> open_listener(boost::asio::io_context& context,
                               const boost::asio::ip::tcp::endpoint& endpoint, bool shared);

// Whether this machine has the address now.
bool is_local(const boost::asio::ip::address& address);

// How many descriptors this process may have open, its soft limit: a connection is one. 0 when the
// system does not say.
std::size_t descriptor_limit();

}  // namespace tars::net
