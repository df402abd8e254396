// SIGTERM, SIGINT and SIGHUP as events.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>

namespace tars::app {

// Owns the process's handlers for these signals from construction to destruction; then a later
// SIGTERM or SIGINT ends the process at once, and SIGHUP is ignored. There is one at a time.
// `on_signal` is called on a thread of `context` for every SIGHUP and for the first SIGTERM or
// SIGINT; the second of these ends the process with 128 + its number, at once but for up to 200 ms
// in which the log file takes what waits for it.
class StopSignals {
 public:
  StopSignals(boost::asio::io_context& context, std::function<void(int)> on_signal);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  void wait();

  boost::asio::signal_set signals_;
  std::function<void(int)> on_signal_;
  bool stopping_ = false;
};

}  // namespace tars::app
