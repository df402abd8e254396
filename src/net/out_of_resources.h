// Failures of a call that are this process's or this machine's want, and nobody else's fault.
#pragma once

#include <boost/system/error_code.hpp>

namespace tars::net {

// No descriptor or memory was left for a socket.
bool is_out_of_resources(const boost::system::error_code& ec);

}  // namespace tars::net
