// The reading half: what each message does.
#include "api/ws/session.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>

#include "api/await_result.h"
#include "api/http/trace.h"
#include "base/fault.h"
#include "telemetry/log.h"

namespace tars::api {

using boost::asio::awaitable;

namespace {

// A message that came too fast is read for its ids up to this size.
constexpr std::size_t kSmallMessage = 4096;

// What others see of a session, as long as its frame lives: one that is destroyed before its end,
// because its thread came back too late, leaves nothing behind that outlives the thread.
class Presence {
 public:
  Presence(const SessionServices& services, const SessionInfo& info)
      : services_(services), info_(info) {
    services_.metrics.websocket_connections.Increment();
  }
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;
  ~Presence() {
    services_.metrics.websocket_connections.Decrement();
    services_.hub.remove(info_);
  }

 private:
  const SessionServices& services_;
  const SessionInfo& info_;
};

Error too_many_answers() {
  Error error = make_error(ErrorCode::overloaded, "Too many answers at once on this socket");
  error.retry_after = std::chrono::seconds(1);
  return error;
}

}  // namespace

Session::Session(SessionInfo info, SessionServices services, std::unique_ptr<net::WebSocket> socket)
    : info_(std::move(info)),
      services_(services),
      socket_(std::move(socket)),
      executor_(socket_->executor()),
      signal_(executor_, SteadyTime::max()),
      tick_(executor_),
      next_heartbeat_(std::chrono::steady_clock::now() + services.options.heartbeat_interval),
      permits_at_(std::chrono::steady_clock::now()),
      permits_(services.options.message_burst) {
  figures_.last_activity_us = info_.connected_at.time_since_epoch().count();
}

awaitable<void> Session::run() {
  const auto self = shared_from_this();
  std::optional<Presence> presence(std::in_place, services_, info_);
  push(connection_ack_frame(info_.claims.client_id, info_.session_id,
                            services_.options.heartbeat_interval, services_.options.version,
                            now()));
  on_tick();
  // Its answer, and with it the end, waits behind what the client has not taken yet.
  socket_->when_peer_closes([this] { leave_runs(); });
  try {
    co_await read_loop();
  } catch (const std::exception& fault) {
    log_fault(fault.what());
    socket_->abort(net::CloseCode::internal_error, "internal_error");
  }
  reader_ended_ = true;
  tick_.cancel();
  leave_runs();
  if (writing_) socket_->abort(net::CloseCode::going_away, "");
  wake();
  while (writer_lives_) {
    co_await signal_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  presence.reset();
  const net::CloseCode code = closing_ ? closing_->code : socket_->closed().code;
  services_.metrics.count_websocket_close(static_cast<unsigned>(code),
                                          closing_ ? closing_->reason : "");
  // Here and not in the destructor, which another thread may run that looks at the list of
  // sessions.
  socket_.reset();
}

// Posted, because co_spawn() runs the coroutine to its first wait before it returns: within a run's
// wake the writer would let go of that run's follower, and wait for ever for the lock the wake
// holds.
void Session::start_writer() {
  writer_lives_ = true;
  boost::asio::post(executor_, [self = shared_from_this()] {
    boost::asio::co_spawn(self->executor_, self->write_loop(),
                          [self](std::exception_ptr fault, bool sent) {
                            if (fault) self->log_fault(describe(fault));
                            self->on_writer_end(fault != nullptr || !sent);
                          });
  });
}

void Session::log_fault(std::string_view what) const {
  telemetry::log(telemetry::LogLevel::error, "a session failed",
                 {{"session_id", info_.session_id}, {"what", what}});
}

void Session::on_writer_end(bool failed) {
  writer_lives_ = false;
  // A failed write ends the reading too, but where the socket is ending already that may take 2 s;
  // after a close the reader ends by itself.
  if (failed) {
    takes_nothing_ = true;
    socket_->abort(net::CloseCode::internal_error, "");
    leave_runs();
  } else if (has_work()) {
    wake();  // what came between its last look and now
  }
  signal_.cancel();
}

awaitable<void> Session::read_loop() {
  while (true) {
    Result<net::WsMessage> message = co_await socket_->read();
    if (!message) co_return;
    if (closing_) continue;
    figures_.last_activity_us = now().time_since_epoch().count();
    ++figures_.messages;
    ++services_.hub.messages;
    services_.metrics.websocket_messages.Increment();
    if (message->binary) {
      begin_close(net::CloseCode::unsupported_data, "text frames only");
    } else if (!take_message_permit()) {
      Error error =
          make_error(ErrorCode::rate_limited, "Too many messages on this socket; wait a second");
      error.retry_after = std::chrono::seconds(1);
      // Which one it was, as long as that is cheap to say.
      const bool is_small = message->data.size() <= kSmallMessage;
      fail(error, is_small ? parse_client_message(message->data, limits()).ids : MessageIds{});
    } else {
      co_await on_message(message->data);
    }
  }
}

MessageLimits Session::limits() const {
  return {services_.options.sampling, services_.options.max_tokens};
}

awaitable<void> Session::on_message(std::string_view bytes) {
  ParsedMessage parsed = parse_client_message(bytes, limits());
  if (!parsed.message) {
    fail(parsed.message.error(), parsed.ids);
  } else if (auto* chat = std::get_if<ChatMessage>(&*parsed.message)) {
    co_await on_chat(std::move(*chat), std::move(parsed.ids));
  } else if (auto* cancel = std::get_if<CancelMessage>(&*parsed.message)) {
    co_await on_cancel(std::move(*cancel), std::move(parsed.ids));
  } else if (auto* resume = std::get_if<ResumeMessage>(&*parsed.message)) {
    co_await on_resume(std::move(*resume), std::move(parsed.ids));
  } else if (std::holds_alternative<PingMessage>(*parsed.message)) {
    push(pong_frame(now()));
  }
}

awaitable<void> Session::on_chat(ChatMessage message, MessageIds ids) {
  if (draining_) {
    fail(make_error(ErrorCode::draining, "The server is shutting down; connect again in a moment"),
         ids);
    co_return;
  }
  if (cursors_.size() >= services_.options.max_followed_runs) {
    fail(too_many_answers(), ids);
    co_return;
  }
  chat::ChatRequest request;
  request.client_id = info_.claims.client_id;
  request.family = info_.claims.family;
  request.token_id = info_.claims.token_id;
  request.content = std::move(message.content);
  request.conversation_id = std::move(message.conversation_id);
  request.message_id = std::move(message.message_id);
  request.model = std::move(message.model);
  request.sampling = std::move(message.sampling);
  request.finish_on_disconnect = message.finish_on_disconnect;
  // Every chat of the socket is a span of its own.
  if (!info_.traceparent.empty()) request.traceparent = join_trace(info_.traceparent).traceparent;
  submitting_ = true;
  Result<std::unique_ptr<chat::Follower>> submitted =
      co_await await_result<std::unique_ptr<chat::Follower>>([this, &request](auto done) {
        services_.engine.submit(std::move(request), waker(), std::move(done));
      });
  submitting_ = false;
  if (!submitted) {
    fail(submitted.error(), ids);
  } else {
    drop_cursor((*submitted)->run().info().id);
    add_cursor(*std::move(submitted), 0);
    tell_store_trouble(services_.hub.store_trouble());
  }
  close_when_drained();
}

awaitable<void> Session::on_cancel(CancelMessage message, MessageIds ids) {
  const Result<void> cancelled = co_await await_result<void>([this, &message](auto done) {
    services_.engine.cancel(info_.claims.client_id, std::move(message.target), std::move(done));
  });
  if (!cancelled) fail(cancelled.error(), ids);
}

awaitable<void> Session::on_resume(ResumeMessage message, MessageIds ids) {
  Result<std::unique_ptr<chat::Follower>> found =
      co_await await_result<std::unique_ptr<chat::Follower>>([this, &message](auto done) {
        services_.engine.follow(info_.claims.client_id, std::move(message.run), waker(),
                                std::move(done));
      });
  if (!found) {
    fail(found.error(), ids);
    co_return;
  }
  const chat::Run& run = (*found)->run();
  const std::size_t held = run.tokens();
  // What a crash or its age took from the log is not the client's mistake.
  const auto outcome = run.outcome();
  const bool lost = outcome && outcome->error && outcome->error->code == ErrorCode::history_lost;
  if (message.offset > held && !lost) {
    fail(make_error(ErrorCode::invalid_message,
                    "offset is past what the run has: " + std::to_string(held) + " tokens"),
         ids);
    co_return;
  }
  drop_cursor(run.info().id);
  if (cursors_.size() >= services_.options.max_followed_runs) {
    fail(too_many_answers(), ids);
    co_return;
  }
  add_cursor(*std::move(found), std::min(message.offset, held));
}

// A run that this socket follows already goes on from the offset asked for, once.
void Session::drop_cursor(const std::string& run_id) {
  std::erase_if(cursors_, [&](const Cursor& c) { return c.follower->run().info().id == run_id; });
}

void Session::add_cursor(std::unique_ptr<chat::Follower> follower, std::size_t offset) {
  if (revoked_) {
    leave_revoked(*follower);
    return;
  }
  TokenFrames frames(follower->run().info());
  cursors_.push_back(Cursor{std::move(follower), std::move(frames), offset});
  figures_.active_runs = static_cast<std::uint32_t>(cursors_.size());
  wake();
  arm_tick();
}

// Called when the client's close frame has come, once a write has failed, once the socket has
// ended, and when the token was revoked.
void Session::leave_runs() {
  const net::CloseCode code = socket_->closed().code;
  // A browser's close() without a code arrives as no_status: the person left on purpose.
  const bool on_purpose = code == net::CloseCode::normal || code == net::CloseCode::going_away ||
                          code == net::CloseCode::no_status;
  const chat::Leave how = on_purpose && !closing_ ? chat::Leave::closed : chat::Leave::lost;
  for (Cursor& cursor : cursors_) {
    if (revoked_) {
      leave_revoked(*cursor.follower);
    } else {
      cursor.follower->leave(how);
    }
  }
  cursors_.clear();
  figures_.active_runs = 0;
}

bool Session::take_message_permit() {
  const SteadyTime at = std::chrono::steady_clock::now();
  const double gained = std::chrono::duration<double>(at - permits_at_).count() *
                        services_.options.messages_per_second;
  permits_ = std::min<double>(services_.options.message_burst, permits_ + gained);
  permits_at_ = at;
  if (permits_ < 1) return false;
  permits_ -= 1;
  return true;
}

void Session::fail(const Error& error, const MessageIds& ids) {
  ++figures_.errors;
  ++services_.hub.errors;
  services_.metrics.websocket_errors.Increment();
  push(error_frame(error, ids, now()));
}

void Session::push(std::string frame) {
  if (closing_ || takes_nothing_ || reader_ended_) return;
  if (control_.size() >= services_.options.control_queue) {
    begin_close(net::CloseCode::try_again_later, "slow_consumer");
    return;
  }
  control_.push_back(std::move(frame));
  wake();
}

std::function<void()> Session::waker() {
  if (!waker_) {
    waker_ = std::make_shared<Waker>();
    waker_->executor = executor_;
    waker_->session = weak_from_this();
  }
  return [waker = waker_] {
    if (waker->posted.exchange(true, std::memory_order_acq_rel)) return;
    if (waker->is_on_its_thread()) return waker->wake();
    boost::asio::post(waker->executor, [waker] { waker->wake(); });
  };
}

bool Session::Waker::is_on_its_thread() const {
  const auto* const thread = executor.target<boost::asio::io_context::executor_type>();
  return thread != nullptr && thread->running_in_this_thread();
}

void Session::Waker::wake() {
  posted.store(false, std::memory_order_release);
  if (const auto alive = session.lock()) alive->write_tokens_now();
}

}  // namespace tars::api
