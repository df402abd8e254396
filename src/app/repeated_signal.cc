#include "app/repeated_signal.h"

#include <utility>

namespace tars::app {

RepeatedSignal::RepeatedSignal(boost::asio::io_context& context, int signal,
                               std::function<void()> action)
    : signals_(context, signal), action_(std::move(action)) {
  wait();
}

void RepeatedSignal::wait() {
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    // Cancelled: this object is gone.
    if (error) return;
    action_();
    wait();
  });
}

}  // namespace tars::app
