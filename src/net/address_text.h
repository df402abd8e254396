// How the program writes a peer's address.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <string>

namespace tars::net {

// IPv4 as IPv4: a socket for both families has it mapped into IPv6 (RFC 4291 section 2.5.5.2), and
// one client is to have one name.
std::string address_text(const boost::asio::ip::address& address);

}  // namespace tars::net
