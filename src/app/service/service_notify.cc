#include "app/service/service_notify.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/datagram_protocol.hpp>

#include <unistd.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "config/scalar.h"
#include "telemetry/log.h"

namespace tars::app {
namespace {

using Unix = boost::asio::local::datagram_protocol;

std::string take(const char* name) {
  const char* value = std::getenv(name);
  std::string out = value != nullptr ? value : "";
  ::unsetenv(name);
  return out;
}

}  // namespace

ServiceNotify ServiceNotify::from_environment() {
  std::string socket = take("NOTIFY_SOCKET");
  const auto interval = config::parse_integer(take("WATCHDOG_USEC"));
  const std::string pid = take("WATCHDOG_PID");
  const bool mine = pid.empty() || pid == std::to_string(::getpid());
  return ServiceNotify(std::move(socket),
                       std::chrono::microseconds(mine ? interval.value_or(0) : 0));
}

ServiceNotify::ServiceNotify(std::string socket, std::chrono::microseconds watchdog)
    : socket_(std::move(socket)), watchdog_(watchdog) {
  // An abstract name begins with a zero byte.
  if (socket_.starts_with('@')) socket_[0] = '\0';
}

void ServiceNotify::send(const std::string& message, bool wait) const {
  if (socket_.empty()) return;
  boost::system::error_code ec;
  boost::asio::io_context context;
  Unix::socket socket(context);
  socket.open(Unix(), ec);
  if (!wait && !ec) socket.non_blocking(true, ec);
  try {
    const Unix::endpoint manager(socket_);  // throws when the name is too long
    if (!ec) socket.send_to(boost::asio::buffer(message), manager, 0, ec);
  } catch (const boost::system::system_error& error) {
    ec = error.code();
  }
  // A manager that has not read the pings before this one has what it needs.
  if (ec && (wait || ec != boost::asio::error::would_block)) {
    telemetry::log(telemetry::LogLevel::warning, "the service manager was not told",
                   {{"cause", ec.message()}});
  }
}

void ServiceNotify::ready(std::string_view status) const {
  send("READY=1" + (status.empty() ? std::string() : "\nSTATUS=" + std::string(status)));
}

void ServiceNotify::stopping() const { send("STOPPING=1\nSTATUS=draining"); }

void ServiceNotify::reloading() const {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
}

void ServiceNotify::ping() const { send("WATCHDOG=1", false); }

}  // namespace tars::app
