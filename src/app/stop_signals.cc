#include "app/stop_signals.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "app/process_limits.h"
#include "telemetry/log.h"

namespace tars::app {
namespace {

constexpr std::chrono::milliseconds kLogPatience{200};

}  // namespace

StopSignals::StopSignals(boost::asio::io_context& context, std::function<void(int)> on_signal)
    : signals_(context, SIGTERM, SIGINT, SIGHUP), on_signal_(std::move(on_signal)) {
  wait();
}

StopSignals::~StopSignals() {
  boost::system::error_code ignored;
  signals_.clear(ignored);
  std::signal(SIGHUP, SIG_IGN);
  end_by_signals_as_init();
}

void StopSignals::wait() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    // Cancelled: this object is gone.
    if (error) return;
    if (signal != SIGHUP && std::exchange(stopping_, true)) {
      // No signal handler: it may wait.
      telemetry::wait_for_log_file(kLogPatience);
      std::_Exit(128 + signal);
    }
    on_signal_(signal);
    wait();
  });
}

}  // namespace tars::app
