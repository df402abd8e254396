#include "app/repeated_signal.h"

#include <csignal>
#include <utility>

namespace tars::app {

RepeatedSignal::RepeatedSignal(boost::asio::io_context& context, int signal,
                               std::function<void()> action)
    : signal_(signal), signals_(context, signal), action_(std::move(action)) {
  wait();
}

RepeatedSignal::~RepeatedSignal() {
  boost::system::error_code ignored;
  signals_.clear(ignored);
  std::signal(signal_, SIG_IGN);
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
