// One WebSocket session: a reader and a writer coroutine over positions in runs.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/options.h"
#include "api/ws/client_message.h"
#include "api/ws/frames.h"
#include "api/ws/hub.h"
#include "base/clock.h"
#include "chat/engine.h"
#include "net/websocket.h"
#include "telemetry/metrics.h"

namespace tars::api {

// What sessions share; all of it outlives them.
struct SessionServices {
  chat::Engine& engine;
  Hub& hub;
  telemetry::Metrics& metrics;
  const Clock& clock;
  const Options& options;
};

// Owns its socket and its readers of runs. Lives on the socket's executor; only the members of
// LiveSession may be called from other threads. The writer coroutine writes; it exists only
// while there is something to write or a run to follow, because most sessions are idle. While it
// rests, tokens go out in the very call that wakes the session (docs/decisions/0011). Bounded:
// control frames (Options::control_queue; a client that lets it fill does not read and is closed
// with 1013), runs followed, messages a second. Tokens are never queued here: the log holds them, a
// slow reader is only behind in it.
class Session final : public LiveSession, public std::enable_shared_from_this<Session> {
 public:
  Session(SessionInfo info, SessionServices services, std::unique_ptr<net::WebSocket> socket);

  // The whole session, until the socket has ended and the writer too. The caller holds the session
  // in its frame and has put it into the hub; run() takes it out, however its frame ends, and
  // counts it among the open ones meanwhile.
  boost::asio::awaitable<void> run();
  // Instead of run().
  std::unique_ptr<net::WebSocket> give_up() { return std::move(socket_); }

  const SessionInfo& info() const override { return info_; }
  const SessionFigures& figures() const override { return figures_; }
  void revoke() override;
  void drain() override;
  void shut(net::CloseCode code, std::string reason) override;
  void store_changed(const std::string& trouble) override;

 private:
  // A position in a run.
  struct Cursor {
    std::unique_ptr<chat::Follower> follower;
    TokenFrames frames;
    std::size_t offset = 0;
    int position_told = 0;  // in the queue of waiting runs
  };
  // What runs hold to wake this session: it never keeps the session alive, so that the session is
  // never destroyed on a thread that wakes it.
  struct Waker {
    boost::asio::any_io_executor executor;
    std::weak_ptr<Session> session;
    std::atomic<bool> posted{false};  // however many wakes come, one post is on its way

    bool is_on_its_thread() const;
    void wake();
  };
  struct Closing {
    net::CloseCode code;
    std::string reason;
    std::string last_words;  // a frame to send before, or empty
    SteadyTime since;
    bool started = false;  // the close frame is on its way
  };

  // -- reader (session.cc)
  boost::asio::awaitable<void> read_loop();
  boost::asio::awaitable<void> on_message(std::string_view bytes);
  MessageLimits limits() const;
  boost::asio::awaitable<void> on_chat(ChatMessage message, MessageIds ids);
  boost::asio::awaitable<void> on_cancel(CancelMessage message, MessageIds ids);
  boost::asio::awaitable<void> on_resume(ResumeMessage message, MessageIds ids);
  void start_writer();
  void log_fault(std::string_view what) const;
  void on_writer_end(bool failed);
  void leave_runs();
  void leave_revoked(chat::Follower& follower) const;
  bool take_message_permit();
  void fail(const Error& error, const MessageIds& ids);
  void tell_store_trouble(const std::string& trouble);
  void push(std::string frame);
  void drop_cursor(const std::string& run_id);
  void add_cursor(std::unique_ptr<chat::Follower> follower, std::size_t offset);
  std::function<void()> waker();

  // -- writer (session_writer.cc)
  // False when the socket takes nothing any more.
  boost::asio::awaitable<bool> write_loop();
  boost::asio::awaitable<bool> write_control();
  boost::asio::awaitable<bool> write_runs();
  boost::asio::awaitable<bool> send(std::string frame);
  boost::asio::awaitable<bool> flush();
  boost::asio::awaitable<bool> finish_close();
  std::string next_frame(Cursor& cursor, bool& ended);
  std::string end_frame(const Cursor& cursor, const chat::Outcome& outcome);
  void write_tokens_now();
  void advance(Cursor& cursor, const chat::Slice& slice);
  bool has_work() const;
  void release_memory();

  // -- time and ends (session_timers.cc)
  void arm_tick();
  void on_tick();
  void check_token(WallTime now);
  void begin_write();
  SteadyTime::duration slow_look() const;
  void check_slow_reader(SteadyTime now);
  SteadyTime next_deadline() const;
  void begin_close(net::CloseCode code, std::string reason, std::string last_words = {});
  void close_when_drained();
  void on_revoked();
  void wake();

  WallTime now() const { return services_.clock.wall(); }

  const SessionInfo info_;
  const SessionServices services_;
  std::unique_ptr<net::WebSocket> socket_;  // gone once run() has ended
  const boost::asio::any_io_executor executor_;
  SessionFigures figures_;
  boost::asio::steady_timer signal_;  // never expires; cancelled to wake the writer
  boost::asio::steady_timer tick_;  // the nearest deadline
  std::shared_ptr<Waker> waker_;  // made for the first run

  std::vector<std::string> control_;
  std::vector<Cursor> cursors_;
  std::size_t next_cursor_ = 0;  // where the next round begins
  std::optional<Closing> closing_;
  SteadyTime next_heartbeat_;
  SteadyTime permits_at_;
  double permits_;
  SteadyTime progress_at_{};  // when a write began, or bytes_written was last seen to grow
  std::uint64_t progress_bytes_ = 0;
  bool signalled_ = false;
  bool resting_ = false;  // the writer has nothing to do but to wait for a run
  bool writing_ = false;
  bool ping_due_ = false;
  bool submitting_ = false;
  bool expiry_told_ = false;
  bool store_trouble_told_ = false;
  bool draining_ = false;
  bool revoked_ = false;
  bool takes_nothing_ = false;  // a write failed: there is no writer any more
  bool reader_ended_ = false;
  bool writer_lives_ = false;
};

}  // namespace tars::api
