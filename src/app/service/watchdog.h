// Keeps the service manager's watchdog quiet for as long as decoding gets on.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>

#include "app/service/service_notify.h"
#include "llm/backend.h"

namespace tars::app {

// Pings from a timer of `context`, twice in each period that the manager allows, but not while a
// backend has had work waiting without progress for `stalled_after`: then, or when the context's
// thread hangs, the manager restarts the process. Lives on until its context does; what it borrows
// outlives that. Made before the context runs or on its thread.
class Watchdog {
 public:
  Watchdog(boost::asio::io_context& context, const ServiceNotify& notify,
           const llm::Backend& backend, std::chrono::milliseconds stalled_after);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  void tick();
  bool is_stalled() const;

  const ServiceNotify& notify_;
  const llm::Backend& backend_;
  const std::chrono::milliseconds stalled_after_;
  boost::asio::steady_timer timer_;
  bool told_ = false;  // of the stall, in the log
};

}  // namespace tars::app
