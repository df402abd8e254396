#include "net/out_of_resources.h"

#include <boost/asio/error.hpp>
#include <boost/system/errc.hpp>

namespace tars::net {

bool is_out_of_resources(const boost::system::error_code& ec) {
  namespace asio = boost::asio;
  return ec == asio::error::no_descriptors ||
         ec == boost::system::errc::too_many_files_open_in_system ||
         ec == asio::error::no_buffer_space || ec == asio::error::no_memory;
}

}  // namespace tars::net
