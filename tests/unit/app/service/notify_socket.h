// A service manager's socket, for tests.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/datagram_protocol.hpp>

#include <array>
#include <string>

#include "../../../support/temp_folder.h"

namespace tars::app {

class NotifySocket {
 public:
  using Unix = boost::asio::local::datagram_protocol;
  NotifySocket() : NotifySocket((folder().path() / "notify").string()) {}
  explicit NotifySocket(const std::string& name) : socket_(context_, Unix::endpoint(name)) {
    socket_.non_blocking(true);
    path_ = name;
  }
  const std::string& path() const { return path_; }

  // The next message, or "" when there is none.
  std::string next() {
    std::array<char, 512> buffer{};
    boost::system::error_code ec;
    const std::size_t n = socket_.receive(boost::asio::buffer(buffer), 0, ec);
    return ec ? "" : std::string(buffer.data(), n);
  }

 private:
  const TempFolder& folder() {
    static TempFolder one;
    std::error_code ignored;
    std::filesystem::remove(one.path() / "notify", ignored);
    return one;
  }
  boost::asio::io_context context_;
  Unix::socket socket_;
  std::string path_;
};

}  // namespace tars::app
