#include "net/io/listener.h"

#include <boost/asio/detail/socket_option.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include <sys/resource.h>
#include <sys/socket.h>

namespace tars::net {
namespace {

using boost::asio::ip::tcp;
using ReusePort = boost::asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

Error listen_error(const tcp::endpoint& endpoint, const boost::system::error_code& ec) {
  const std::string port = std::to_string(endpoint.port());
  const std::string host = endpoint.address().to_string();
  if (ec == boost::asio::error::address_in_use) {
    return make_error(
        ErrorCode::config_error,
        "TARS_PORT: port " + port + " on " + host +
            " is in use by another program. Stop that program, or choose another port "
            "with TARS_PORT (0 takes any free one).");
  }
  if (ec == boost::asio::error::access_denied) {
    return make_error(ErrorCode::config_error,
                      "TARS_PORT: this user may not listen on port " + port +
                          ". Choose a port of 1024 or above with TARS_PORT.");
  }
  return make_error(ErrorCode::config_error,
                    "TARS_HOST: cannot listen on " + host + " (" + ec.message() +
                        "). Choose an address of this machine with TARS_HOST, 127.0.0.1 for this "
                        "machine only or 0.0.0.0 for all.");
}

}  // namespace

Result<tcp::endpoint> resolve_listen_address(const std::string& host, std::uint16_t port) {
  boost::system::error_code ec;
  const auto address = boost::asio::ip::make_address(host, ec);
  if (!ec) return tcp::endpoint(address, port);

  boost::asio::io_context context(1);
  tcp::resolver resolver(context);
  const auto found = host.empty()
                         ? tcp::resolver::results_type()
                         : resolver.resolve(host, std::to_string(port), tcp::resolver::passive, ec);
  // A name such as localhost often has both families; most clients try 127.0.0.1.
  for (const auto& entry : found) {
    if (entry.endpoint().address().is_v4()) return entry.endpoint();
  }
  if (!found.empty()) return found.begin()->endpoint();
  return make_error(ErrorCode::config_error,
                    "TARS_HOST: `" + host +
                        "` is neither an address nor a known name. Set TARS_HOST to "
                        "an address of this machine, such as 127.0.0.1 or 0.0.0.0.");
}

Result<Acceptor> open_listener(boost::asio::io_context& context, const tcp::endpoint& endpoint,
                               bool shared) {
  boost::system::error_code ec;
  Acceptor acceptor(context);
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(Acceptor::reuse_address(true), ec);
  if (!ec && shared) acceptor.set_option(ReusePort(true), ec);
  if (!ec && endpoint.address().is_v6()) {
    acceptor.set_option(boost::asio::ip::v6_only(!endpoint.address().is_unspecified()), ec);
  }
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(boost::asio::socket_base::max_listen_connections, ec);
  if (ec) return listen_error(endpoint, ec);
  return acceptor;
}

bool is_local(const boost::asio::ip::address& address) {
  boost::system::error_code ec;
  boost::asio::io_context context(1);
  Acceptor probe(context);
  const tcp::endpoint endpoint(address, 0);
  probe.open(endpoint.protocol(), ec);
  if (!ec) probe.bind(endpoint, ec);
  return !ec;
}

std::size_t descriptor_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<std::size_t>(limit.rlim_cur) : 0;
}

}  // namespace tars::net
