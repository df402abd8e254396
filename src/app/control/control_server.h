// The Unix socket in the data folder over which verbs reach the running server.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <filesystem>
#include <memory>
#include <string>

#include "app/control/control_desk.h"
#include "base/descriptor.h"
#include "base/error.h"

namespace tars::app {

inline constexpr const char* kControlSocket = "control.sock";

// The socket's address, whatever the folder's length: a Unix address holds 107 bytes, so the folder
// goes by a descriptor of it. Owns that descriptor.
class ControlAddress {
 public:
  static Result<ControlAddress> in(const std::filesystem::path& folder);
  const std::string& path() const { return path_; }

 private:
  explicit ControlAddress(Descriptor folder);
  Descriptor folder_;
  std::string path_;
};

// Mode 0600: who may open it may read the secret as well, so nothing else is asked. Answers on the
// threads of `context`; at most 8 conversations at once, 10 s each. What somebody asks who has hung
// up by the time it is read is not done. Made by who holds the folder's lock, so that a socket
// found there is a leftover. What the desk borrows outlives the context's threads.
class ControlServer {
 public:
  // config_error when the socket cannot be made.
  static Result<std::unique_ptr<ControlServer>> listen(boost::asio::io_context& context,
                                                       const std::filesystem::path& folder,
                                                       ControlDesk desk);
  // Takes the socket away; from any thread. What is being answered still is.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  struct State;
  explicit ControlServer(std::shared_ptr<State> state) : state_(std::move(state)) {}
  static boost::asio::awaitable<void> accept(std::shared_ptr<State> state);

  const std::shared_ptr<State> state_;
};

}  // namespace tars::app
