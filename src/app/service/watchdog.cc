#include "app/service/watchdog.h"

#include <algorithm>

#include "telemetry/log.h"

namespace tars::app {

Watchdog::Watchdog(boost::asio::io_context& context, const ServiceNotify& notify,
                   const llm::Backend& backend, std::chrono::milliseconds stalled_after)
    : notify_(notify), backend_(backend), stalled_after_(stalled_after), timer_(context) {
  if (notify_.watchdog().count() > 0) tick();
}

bool Watchdog::is_stalled() const {
  const auto parts = backend_.parts();
  return backend_.status().stalled >= stalled_after_ ||
         std::ranges::any_of(parts, [this](const llm::NamedStatus& part) {
           return part.status.stalled >= stalled_after_;
         });
}

void Watchdog::tick() {
  const bool stalled = is_stalled();
  if (!stalled) notify_.ping();
  if (stalled && !told_) {
    telemetry::log(telemetry::LogLevel::error,
                   "decoding makes no progress: the service manager's watchdog is not fed");
  }
  told_ = stalled;
  timer_.expires_after(notify_.watchdog() / 2);
  timer_.async_wait([this](const boost::system::error_code& ec) {
    if (!ec) tick();
  });
}

}  // namespace tars::app
