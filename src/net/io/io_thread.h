// One I/O thread: its io_context, its acceptors, its connections and their deadlines.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/io/body_budget.h"
#include "net/io/connection.h"
#include "net/io/listener.h"
#include "net/io/thread_priority.h"
#include "net/io/tls_context.h"
#include "net/message/response_head.h"
#include "net/server.h"

namespace tars::net {

// How many connections are open on all threads, and a way to wait until none is. Thread-safe.
class ConnectionCount {
 public:
  std::size_t value() const { return open_.load(std::memory_order_relaxed); }
  void add() { open_.fetch_add(1, std::memory_order_relaxed); }
  void remove();
  // Whether none was left before `limit` had passed.
  bool wait_for_none(std::chrono::milliseconds limit);

 private:
  std::atomic<std::size_t> open_{0};
  std::mutex mutex_;
  std::condition_variable none_left_;
};

// Owns its thread and everything on it. Constructor, start, stop_accepting, drop_connections and
// join are called by the server's owner; all else runs on the thread itself. `options`,
// `application`, `count` and `bodies` must outlive it.
class IoThread {
 public:
  IoThread(const ServerOptions& options, Application& application, ConnectionCount& count,
           BodyBudget& bodies);
  ~IoThread();

  boost::asio::io_context& context() { return context_; }
  // Before start(): a socket to accept on.
  void adopt_listener(Acceptor acceptor) {
    doors_.push_back(std::make_unique<Door>(std::move(acceptor), context_));
  }
  // Before start(): connections speak TLS with what this has when they begin. It must outlive the
  // thread.
  void adopt_certificate(const TlsContext& tls) { tls_ = &tls; }
  void start();

  // Closes the acceptors and every idle connection; connections close after their current answer.
  void stop_accepting();
  // Closes every socket: whoever waits for one gets an error and ends.
  void drop_connections();
  // Ends the thread. What still waits for something else than a socket is destroyed with the
  // context.
  void join();

  // For connections, on this thread.
  const ServerOptions& options() const { return options_; }
  Application& application() { return application_; }
  BodyBudget& bodies() { return bodies_; }
  bool draining() const { return draining_; }
  std::array<char, 64 * 1024>& read_buffer() { return *read_buffer_; }
  std::string& write_buffer() { return write_buffer_; }
  std::string_view date();
  void connection_ended();

 private:
  using Connections =
      boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>>;
  struct Door {
    Door(Acceptor a, boost::asio::io_context& context) : acceptor(std::move(a)), pause(context) {}
    Acceptor acceptor;
    boost::asio::steady_timer pause;  // of its loop, while there is no room
  };

  void run();
  void on_thread(void (IoThread::*member)());
  void stop_accepting_here();
  void drop_connections_here();
  void serve(Socket socket);
  void close_one();
  boost::asio::awaitable<void> make_room(Door& door, std::string want);
  boost::asio::awaitable<void> accept_loop(Door& door);
  boost::asio::awaitable<void> watch_deadlines();

  const ServerOptions& options_;
  Application& application_;
  ConnectionCount& count_;
  BodyBudget& bodies_;
  const TlsContext* tls_ = nullptr;
  // Before the context, whose destruction ends the connections that are left.
  Connections connections_;
  std::unique_ptr<std::array<char, 64 * 1024>> read_buffer_;
  std::string write_buffer_;
  DateHeader date_;
  ThreadPriority priority_;
  bool draining_ = false;
  SteadyTime want_until_{};  // descriptors were used up not long before it
  bool destroying_ = false;

  // Sockets are used on this thread alone and need no locks; posts and timers keep theirs.
  boost::asio::io_context context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::vector<std::unique_ptr<Door>> doors_;  // its coroutines end with the context
  boost::asio::steady_timer watch_;
  std::thread thread_;
};

}  // namespace tars::net
