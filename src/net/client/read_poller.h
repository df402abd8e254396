// Bytes for many sockets at once: an epoll of its own behind one descriptor in Asio's reactor.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/system/error_code.hpp>

#include <sys/epoll.h>

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "net/client/arrival_rate.h"
#include "net/client/stream_pace.h"

namespace tars::net {

// A service of an io_context: boost::asio::use_service<ReadPoller>(context). Used on the context's
// thread only. For streams of many small pieces, where Asio pays for each piece a second recv()
// that finds nothing, an operation's bookkeeping, and a buffer that the cache has forgotten. Here a
// read that gives less than it could take has emptied the socket (epoll(7), edge-triggered; urgent
// data apart, which no HTTP server sends), and all sockets are read into one buffer.
class ReadPoller : public boost::asio::execution_context::service {
 public:
  static inline boost::asio::execution_context::id id;

  // Who reads. Destroyed with the context if it still waits then, as Asio's operations are.
  class Reader {
   public:
    virtual ~Reader() = default;
    // What has come, at least a byte; or an error: asio::error::eof for the peer's close,
    // operation_aborted after abort(). Whether it waits for more; an error is the last call, also
    // where the reader itself called abort(), which it may for any socket.
    // The bytes live until it returns.
    virtual bool on_read(const boost::system::error_code& ec, std::string_view bytes) noexcept = 0;
    // Once, by the event loop, after the last on_read().
    virtual void complete() = 0;
  };

  // Opens its epoll, so that later no answer fails for want of a descriptor. Where there is none
  // now, add() tries again.
  explicit ReadPoller(boost::asio::io_context& context);
  ~ReadPoller() override;

  // Reads `socket`, which is non-blocking and in nobody else's epoll, until its reader ends it.
  // io_error when the kernel cannot watch it; the reader is untouched then.
  Result<void> add(int socket, std::unique_ptr<Reader>& reader);
  // Before a socket is closed whose reader may still wait.
  void abort(int socket);
  std::size_t waiting() const { return entries_.size(); }
  // Called after each batch of reads.
  void after_batch(std::function<void()> call) { after_batch_ = std::move(call); }
  // When so many pieces come in a second (events of sockets, to be exact), those that come soon one
  // after the other on a socket are read together, some of them up to StreamPace::kLongestWait
  // later. Unless told, from 12,000 on: what 250 streams of 48 tokens a second are.
  void coalesce_from(double pieces_per_second) { rate_ = ArrivalRate(pieces_per_second); }
  bool coalesces(SteadyTime now) { return rate_.add(0, now); }

 private:
  using Hook =
      boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  struct Entry : Hook {
    int socket = -1;
    std::unique_ptr<Reader> reader;
    StreamPace pace;
  };

  void shutdown() noexcept override;
  Result<void> open();
  void arm();
  void on_ready();
  bool hold_back(Entry& entry, std::uint32_t events, SteadyTime now);
  void await_due();
  void on_due();
  void serve(Entry& entry, std::uint32_t events);
  void end(Entry& entry, const boost::system::error_code& ec);

  boost::asio::io_context& context_;
  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> epoll_;
  std::unordered_map<int, std::unique_ptr<Entry>> entries_;  // by socket
  std::unique_ptr<char[]> buffer_;
  std::vector<epoll_event> events_;
  std::span<epoll_event> batch_;  // what is still to be served of events_
  std::function<void()> after_batch_;
  const Entry* serving_ = nullptr;
  bool armed_ = false;
  ArrivalRate rate_{12'000};
  // Whose bytes wait for more, in the order in which they are due.
  boost::intrusive::list<Entry, boost::intrusive::constant_time_size<false>> held_;
  boost::asio::steady_timer due_;
  bool due_armed_ = false;
};

}  // namespace tars::net
