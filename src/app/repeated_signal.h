// A signal that asks for something to be done, as often as it comes.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>

namespace tars::app {

// Owns the process's handler for `signal` during its life. `action` is called on a thread of
// `context` for each one that arrives; several at once may count as one. Afterwards the signal is
// ignored (but for the instant in which one handler gives way to the other): what it asks for can
// no longer be done, and it must end nothing.
class RepeatedSignal {
 public:
  RepeatedSignal(boost::asio::io_context& context, int signal, std::function<void()> action);
  ~RepeatedSignal();
  RepeatedSignal(const RepeatedSignal&) = delete;
  RepeatedSignal& operator=(const RepeatedSignal&) = delete;

 private:
  void wait();

  const int signal_;
  boost::asio::signal_set signals_;
  std::function<void()> action_;
};

}  // namespace tars::app
