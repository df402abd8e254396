#include "app/stop_signals.h"

#include <csignal>
#include <cstdlib>

namespace tars::app {

StopSignals::StopSignals(boost::asio::io_context& context, std::function<void(int)> on_first)
    : signals_(context, SIGTERM, SIGINT), on_first_(std::move(on_first)) {
  wait();
}

void StopSignals::wait() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    // Cancelled: this object is gone.
    if (error) return;
    if (seen_) std::_Exit(128 + signal);
    seen_ = true;
    on_first_(signal);
    wait();
  });
}

}  // namespace tars::app
