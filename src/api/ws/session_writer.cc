// The writing half: control frames first, then one frame for each run that has something new.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/ws/session.h"

namespace tars::api {

using boost::asio::awaitable;

// Here and wherever coroutines live: no co_await inside a condition. GCC 12 destroys the frame's
// temporaries twice there when the branch leaves the coroutine.

namespace {

// The most text in one frame: a replayed answer goes out in few frames, other runs still get their
// turn.
constexpr std::size_t kMaxFrameText = 16 * 1024;

}  // namespace

awaitable<bool> Session::write_loop() {
  while (!reader_ended_) {
    const bool caught_up = co_await flush();
    if (!caught_up) co_return false;
    const bool controls_sent = co_await write_control();
    if (!controls_sent) co_return false;
    if (closing_) {
      const bool closed = co_await finish_close();
      co_return closed;
    }
    const bool runs_sent = co_await write_runs();
    if (!runs_sent) co_return false;
    close_when_drained();
    if (has_work()) continue;
    release_memory();
    if (cursors_.empty()) co_return true;
    resting_ = true;
    co_await signal_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    resting_ = false;
  }
  co_return true;
}

// What a run's wake does: most often one token of one run, sent from here. Everything else is the
// writer's. May be called from inside chat::Run::wake(), so no follower is let go of here.
void Session::write_tokens_now() {
  if (!resting_ || closing_ || revoked_ || reader_ended_) return wake();
  // One for all sessions of the thread, so that it stays in the cache.
  static thread_local std::string frame;
  for (Cursor& cursor : cursors_) {
    const chat::Run& run = cursor.follower->run();
    const bool running = run.status() == chat::RunStatus::running;
    const chat::Slice slice = run.read(cursor.offset, kMaxFrameText);
    if (slice.count > 0) {
      cursor.frames.render(slice, now(), frame);
      if (!socket_->write_now(frame)) return wake();
      advance(cursor, slice);
    }
    if (!running || cursor.offset < run.tokens() || socket_->is_backed_up()) wake();
    if (!resting_) return;
  }
}

void Session::advance(Cursor& cursor, const chat::Slice& slice) {
  cursor.offset = slice.first + slice.count;
  figures_.tokens += slice.count;
  services_.hub.tokens += slice.count;
}

bool Session::has_work() const { return signalled_ || closing_ || ping_due_ || !control_.empty(); }

// An idle connection holds no buffers: thousands of them are the normal case.
void Session::release_memory() {
  if (control_.empty() && control_.capacity() > 0) std::vector<std::string>().swap(control_);
  if (cursors_.empty() && cursors_.capacity() > 0) std::vector<Cursor>().swap(cursors_);
}

awaitable<bool> Session::write_control() {
  signalled_ = false;
  while (!control_.empty() || ping_due_) {
    std::vector<std::string> frames = std::exchange(control_, {});
    for (std::string& frame : frames) {
      const bool sent = co_await send(std::move(frame));
      if (!sent) co_return false;
    }
    if (ping_due_ && !closing_) {
      std::string frame = ping_frame(now());
      const bool told = co_await send(std::move(frame));
      if (!told) co_return false;
      begin_write();
      const Result<void> sent = co_await socket_->ping();
      writing_ = false;
      if (!sent) co_return false;
    }
    ping_due_ = false;
  }
  co_return true;
}

awaitable<bool> Session::write_runs() {
  // The reader may add or drop cursors during a write, so only indices live across it.
  for (std::size_t turns = cursors_.size(); turns > 0 && !cursors_.empty() && !closing_; --turns) {
    if (next_cursor_ >= cursors_.size()) next_cursor_ = 0;
    bool ended = false;
    std::string frame = next_frame(cursors_[next_cursor_], ended);
    if (ended) {
      cursors_.erase(cursors_.begin() + static_cast<std::ptrdiff_t>(next_cursor_));
      figures_.active_runs = static_cast<std::uint32_t>(cursors_.size());
    } else {
      ++next_cursor_;
    }
    if (frame.empty()) continue;
    signalled_ = true;  // there may be more
    const bool sent = co_await send(std::move(frame));
    if (!sent) co_return false;
  }
  co_return true;
}

std::string Session::next_frame(Cursor& cursor, bool& ended) {
  const chat::Run& run = cursor.follower->run();
  // Looked at before reading: what is appended in between is found by the next round.
  const std::optional<chat::Outcome> outcome = run.outcome();
  const chat::Slice slice = run.read(cursor.offset, kMaxFrameText);
  if (slice.count > 0) {
    advance(cursor, slice);
    return cursor.frames.render(slice, now());
  }
  if (outcome) {
    ended = true;
    return end_frame(cursor, *outcome);
  }
  const int position = run.position();
  const bool due =
      services_.clock.steady() >= run.info().submitted_at + services_.options.queued_after;
  if (run.status() != chat::RunStatus::queued || position == 0 ||
      position == cursor.position_told || !due) {
    return {};
  }
  cursor.position_told = position;
  return queued_frame(run.info(), position, now());
}

std::string Session::end_frame(const Cursor& cursor, const chat::Outcome& outcome) {
  const chat::Run& run = cursor.follower->run();
  // A run that ended well may have lost its log since: that is an error, and says so.
  const bool ended_well =
      outcome.status == chat::RunStatus::complete || outcome.status == chat::RunStatus::cancelled;
  if (ended_well && !outcome.error) {
    return complete_frame(run.info(), outcome, run.tokens(), now());
  }
  ++figures_.errors;
  ++services_.hub.errors;
  services_.metrics.websocket_errors.Increment();
  return failure_frame(run.info(), outcome, now());
}

awaitable<bool> Session::send(std::string frame) {
  begin_write();
  const Result<void> sent = co_await socket_->write(frame);
  writing_ = false;
  co_return sent.has_value();
}

awaitable<bool> Session::flush() {
  if (!socket_->is_backed_up()) co_return true;
  begin_write();
  const Result<void> sent = co_await socket_->flush();
  writing_ = false;
  co_return sent.has_value();
}

awaitable<bool> Session::finish_close() {
  if (!closing_->last_words.empty()) {
    const bool sent = co_await send(std::move(closing_->last_words));
    if (!sent) co_return false;
  }
  closing_->started = true;
  co_await socket_->close(closing_->code, closing_->reason);
  co_return true;
}

}  // namespace tars::api
