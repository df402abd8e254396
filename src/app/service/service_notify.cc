#include "app/service/service_notify.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "config/scalar.h"
#include "telemetry/log.h"

namespace tars::app {
namespace {

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

ServiceNotify::ServiceNotify(std::string name, std::chrono::microseconds watchdog)
    : name_(std::move(name)), watchdog_(watchdog) {
  if (name_.empty()) return;
  // An abstract name begins with a zero byte.
  if (name_.starts_with('@')) name_[0] = '\0';
  socket_ = Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

void ServiceNotify::send(std::string_view message, bool wait) const {
  if (name_.empty()) return;
  sockaddr_un manager{};
  manager.sun_family = AF_UNIX;
  int fault = 0;
  if (name_.size() >= sizeof manager.sun_path) {
    fault = ENAMETOOLONG;
  } else {
    name_.copy(manager.sun_path, name_.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    const int flags = MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT);
    const auto* address = reinterpret_cast<const sockaddr*>(&manager);
    ssize_t sent = 0;
    do {
      sent = ::sendto(socket_.get(), message.data(), message.size(), flags, address, size);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) fault = errno;
  }
  // A manager that has not read the pings before this one has what it needs.
  if (fault != 0 && (wait || (fault != EAGAIN && fault != EWOULDBLOCK))) {
    telemetry::log(telemetry::LogLevel::warning, "the service manager was not told",
                   {{"cause", std::generic_category().message(fault)}});
  }
}

void ServiceNotify::ready(std::string_view status) const {
  send("READY=1" + (status.empty() ? std::string() : "\nSTATUS=" + std::string(status)));
}

// A manager that reads nothing holds up no stop.
void ServiceNotify::stopping() const {
  constexpr timeval kPatience{.tv_sec = 1, .tv_usec = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  send("STOPPING=1\nSTATUS=draining");
}

void ServiceNotify::reloading() const {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
}

void ServiceNotify::ping() const { send("WATCHDOG=1", false); }

}  // namespace tars::app
