// One accepted TCP connection: its socket, its one deadline, and what it is doing.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/io/tls_stream.h"

namespace tars::net {

class IoThread;

using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

// What a connection is doing, which decides how it ends: an idle one may be closed at any moment.
enum class Phase { idle, receiving, handling, sending, lingering, websocket };

// Owned jointly by the coroutine that serves it and, after an upgrade, by its WebSocket. Linked
// into its IoThread's list as long as it lives. Used on its thread only. Has no timer: the thread
// looks at all deadlines four times a second, so setting one costs a store.
class Connection : public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  // With `tls` the peer is to speak TLS: handshake() comes first.
  Connection(IoThread& thread, Socket socket, std::string remote_address,
             const std::shared_ptr<SSL_CTX>& tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The server's side of TLS; only on a connection made with `tls`. False when the peer failed,
  // left or took longer than the deadline.
  boost::asio::awaitable<bool> handshake();
  // Speaks TLS. False after fell_back_to_http().
  bool is_secure() const { return tls_.has_value(); }
  // After a handshake that failed: the peer spoke plain HTTP instead; from here on so does the
  // connection, to tell it.
  bool fell_back_to_http();

  // One try, through TLS where the connection has it. With would_block, wait for `wait`, then try
  // the same again.
  struct Step {
    boost::system::error_code error;
    std::size_t bytes = 0;
    Socket::wait_type wait = Socket::wait_read;

    bool would_block() const {
      return error == boost::asio::error::would_block || error == boost::asio::error::try_again;
    }
  };
  Step try_read(std::span<char> into);
  Step try_write(std::string_view first, std::string_view second = {});

  // For a WebSocket: whole frames. Hands both to the kernel and keeps what it does not take, in
  // order: frames never mix, whoever writes them. An error means that the peer is gone. Bounded by
  // the caller, who has what was kept sent before the next one.
  boost::system::error_code put(std::string_view first, std::string_view second);
  bool has_unsent() const { return unsent_at_ < unsent_.size(); }
  // One try to send what was kept; would_block as in try_write().
  Step flush_some();
  // Bytes are here that no readable socket tells of.
  bool has_pending() const { return tls_ && tls_->has_pending(); }
  // Says that nothing more is sent.
  void finish_sending();

  struct Received {
    boost::system::error_code error;
    std::string_view bytes;  // in the thread's buffer: valid until the next co_await
  };
  // Waits for bytes. With `more_expected` it asks the socket before it waits.
  boost::asio::awaitable<Received> receive(bool more_expected);

  // Sends both buffers in one system call where the kernel takes them; false when the peer is gone,
  // took nothing for `timeout`, or took in all longer than that and than `slowest` bytes a second
  // need: a little now and then does not hold it. What the buffers point to must stay valid until
  // then, except that the first may live in the thread's buffer: what is left of it is copied
  // before waiting.
  boost::asio::awaitable<bool> send(std::string_view first, std::string_view second,
                                    std::chrono::seconds timeout, std::size_t slowest);

  // Says that nothing more is sent, then reads and drops for up to `limit` or until the peer
  // closes, so that a peer still sending reads the answer instead of a reset connection.
  boost::asio::awaitable<void> linger(std::chrono::seconds limit);

  // At `at`, waiting operations end with an error and timed_out() turns true; in the phases
  // lingering and websocket the socket is closed instead.
  void set_deadline(SteadyTime at);
  void set_deadline_in(std::chrono::milliseconds from_now);
  void clear_deadline() { deadline_ = SteadyTime::max(); }
  bool timed_out() const { return timed_out_; }  // since the last set_deadline()
  // For the thread's tick: does what set_deadline() says once `now` is past it.
  void check_deadline(SteadyTime now);

  // The socket, at once, with TLS's goodbye if it goes out without a wait; operations that wait end
  // with an error. Again: nothing. The object stays in its thread's list until it is destroyed.
  void close();

  // The thread outlives the connection.
  IoThread& thread() { return thread_; }
  Socket& socket() { return socket_; }
  const std::string& remote_address() const { return remote_address_; }

  // When it began to wait for the request that it has, or waits for.
  SteadyTime waiting_since() const { return waiting_since_; }
  void begin_idle();
  // Whether bytes are here that were not received yet.
  bool has_input() const;

  Phase phase = Phase::idle;
  std::string unread;  // received, not yet parsed
  std::uint64_t bytes_written = 0;  // by a WebSocket, handed to the kernel
  bool peer_finished = false;  // of a WebSocket: nothing more is to come after its close frame
  bool close_frame_sent = false;  // of a WebSocket: no frame may follow it (RFC 6455 section 5.5.1)

 private:
  IoThread& thread_;
  Socket socket_;
  std::optional<TlsStream> tls_;
  std::string remote_address_;
  std::string unsent_;  // from unsent_at_ on
  std::size_t unsent_at_ = 0;
  SteadyTime deadline_ = SteadyTime::max();
  SteadyTime waiting_since_ = std::chrono::steady_clock::now();
  bool timed_out_ = false;
};

}  // namespace tars::net
