// Tells the service manager how this process is: the protocol of sd_notify(3).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.h"

namespace tars::app {

// A datagram to the socket that the manager named; without one nothing is sent. Any thread. The
// protocol is one line of text and stable; libsystemd would bring five more libraries into the
// process for it.
class ServiceNotify {
 public:
  // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and takes them out of the environment, so
  // that no child speaks for this process. Before any thread starts.
  static ServiceNotify from_environment();
  // `name` is a path, or a name in the abstract namespace that begins with `@`; empty = nobody
  // listens. `watchdog` zero = no pings are asked for. The socket is opened here, since later there
  // may be no descriptor for one: a server that is crowded must not look dead.
  explicit ServiceNotify(std::string name = {}, std::chrono::microseconds watchdog = {});

  // STATUS= is for people; empty = none.
  void ready(std::string_view status) const;
  // The last: waits a second at most for a manager that reads nothing.
  void stopping() const;
  // A reload begins (RELOADING=1 with the time that the manager wants to know); ready() ends it.
  void reloading() const;
  // WATCHDOG=1. Waits for nobody: it is called on an I/O thread.
  void ping() const;

  // Silence of this long makes the manager restart the process; zero = it does not watch.
  std::chrono::microseconds watchdog() const { return watchdog_; }

 private:
  // With `wait`, until the manager has room for it.
  void send(std::string_view message, bool wait = true) const;

  std::string name_;
  Descriptor socket_;
  std::chrono::microseconds watchdog_;
};

}  // namespace tars::app
