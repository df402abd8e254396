// What time and other threads do to a session: heartbeats, deadlines, closes.
#include <boost/asio/post.hpp>

#include <algorithm>

#include "api/ws/session.h"

namespace tars::api {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kMaxTick{3600};  // a deadline further away is looked at again then
constexpr std::chrono::milliseconds kSlowLook{5000};  // how often a write in progress is looked at
constexpr std::string_view kIdleWarning = "Connection timeout - please reconnect";

}  // namespace

void Session::revoke() {
  boost::asio::post(executor_, [self = shared_from_this()] { self->on_revoked(); });
}

void Session::drain() {
  boost::asio::post(executor_, [self = shared_from_this()] {
    self->draining_ = true;
    self->close_when_drained();
  });
}

void Session::shut(net::CloseCode code, std::string reason) {
  boost::asio::post(executor_, [self = shared_from_this(), code, reason = std::move(reason)] {
    self->begin_close(code, reason);
  });
}

void Session::store_changed(const std::string& trouble) {
  boost::asio::post(executor_, [self = shared_from_this(), trouble] {
    if (trouble.empty() || !self->cursors_.empty()) self->tell_store_trouble(trouble);
  });
}

// Once, until it is over.
void Session::tell_store_trouble(const std::string& trouble) {
  const bool told = std::exchange(store_trouble_told_, !trouble.empty());
  if (trouble.empty() || told) return;
  push(system_frame(SystemLevel::warning, "Answers are not being stored: " + trouble, now()));
}

void Session::wake() {
  signalled_ = true;
  resting_ = false;
  if (writer_lives_) {
    signal_.cancel();
  } else if (!reader_ended_ && !takes_nothing_ && !(closing_ && closing_->started)) {
    start_writer();
  }
}

void Session::on_revoked() {
  if (revoked_ || reader_ended_) return;
  revoked_ = true;
  leave_runs();
  const Error error = make_error(ErrorCode::token_revoked, "This token was revoked; get a new one");
  begin_close(net::CloseCode::policy_violation, "token_revoked", error_frame(error, {}, now()));
}

// A revocation stops what that token began. The run of another token is only no longer followed.
void Session::leave_revoked(chat::Follower& follower) const {
  const bool own = follower.run().info().token_id == info_.claims.token_id;
  follower.leave(own ? chat::Leave::revoked : chat::Leave::lost);
}

void Session::close_when_drained() {
  if (draining_ && cursors_.empty() && !submitting_ && control_.empty()) {
    begin_close(net::CloseCode::going_away, "server_draining");
  }
}

void Session::begin_close(net::CloseCode code, std::string reason, std::string last_words) {
  if (closing_ || reader_ended_) return;
  closing_ = Closing{code, std::move(reason), std::move(last_words), steady_clock::now()};
  wake();
  arm_tick();
}

void Session::arm_tick() {
  if (reader_ended_) return;
  tick_.expires_at(next_deadline());
  tick_.async_wait([session = weak_from_this()](boost::system::error_code cancelled) {
    const auto alive = session.lock();
    if (!cancelled && alive && !alive->reader_ended_) alive->on_tick();
  });
}

SteadyTime Session::next_deadline() const {
  const Options& options = services_.options;
  const SteadyTime at = steady_clock::now();
  if (closing_) return std::max(at, closing_->since + options.close_patience);
  SteadyTime next = std::min(at + kMaxTick, next_heartbeat_);
  next = std::min(next, socket_->last_activity() + options.idle_timeout);
  const std::int64_t warn_at =
      info_.claims.good_until - (expiry_told_ ? 0 : options.expiry_warning.count());
  const auto until = WallTime{std::chrono::seconds{warn_at}} - now();
  if (until < kMaxTick) next = std::min(next, at + std::chrono::microseconds{until});
  if (writing_) next = std::min(next, at + slow_look());
  // A run's times are of the clock that the engine was given, timers go by the machine's.
  const SteadyTime asked_before = services_.clock.steady() - options.queued_after;
  for (const Cursor& cursor : cursors_) {
    const auto left = cursor.follower->run().info().submitted_at - asked_before;
    if (left > SteadyTime::duration::zero()) next = std::min(next, at + left);
  }
  // Never a busy loop, whatever the clocks say.
  return std::max(next, at + std::chrono::milliseconds(1));
}

void Session::on_tick() {
  const SteadyTime at = steady_clock::now();
  if (closing_) {
    const bool stuck = at >= closing_->since + services_.options.close_patience;
    if (stuck && !closing_->started) {
      socket_->abort(closing_->code, closing_->reason);
    } else if (!closing_->started) {
      arm_tick();
    }
    return;
  }
  if (at >= next_heartbeat_) {
    next_heartbeat_ = at + services_.options.heartbeat_interval;
    ping_due_ = true;
  }
  const auto idle = at - socket_->last_activity();
  // The handshake, which is before the session, counts as its beginning.
  const WallTime active = std::max(
      info_.connected_at, now() - std::chrono::duration_cast<std::chrono::microseconds>(idle));
  figures_.last_activity_us = active.time_since_epoch().count();
  if (idle >= services_.options.idle_timeout) {
    begin_close(net::CloseCode::going_away, "idle_timeout",
                system_frame(SystemLevel::warning, kIdleWarning, now()));
    return;
  }
  check_token(now());
  check_slow_reader(at);
  if (closing_) return;
  if (ping_due_ || !cursors_.empty()) wake();  // a run may be due to tell its position
  arm_tick();
}

void Session::check_token(WallTime at) {
  const std::int64_t left = info_.claims.good_until - unix_seconds(at);
  if (left <= 0) {
    begin_close(net::CloseCode::policy_violation, "token_expired");
  } else if (!expiry_told_ && left <= services_.options.expiry_warning.count()) {
    expiry_told_ = true;
    push(system_frame(SystemLevel::warning,
                      "Token expires in " + std::to_string(left) + " s - refresh it and reconnect",
                      at));
  }
}

SteadyTime::duration Session::slow_look() const {
  return std::min(kSlowLook, services_.options.slow_reader / 4);
}

// Any write may be the one that blocks. The tick is moved only when it is further away than the
// next look: then at most once per look, however many frames there are.
void Session::begin_write() {
  const SteadyTime at = steady_clock::now();
  writing_ = true;
  progress_at_ = at;
  progress_bytes_ = socket_->bytes_written();
  if (tick_.expiry() > at + slow_look()) arm_tick();
}

// A reader that takes a little now and then is slow and stays; one that takes nothing at all is
// gone.
void Session::check_slow_reader(SteadyTime at) {
  const std::uint64_t bytes = socket_->bytes_written();
  if (!writing_ || bytes != progress_bytes_) {
    progress_bytes_ = bytes;
    progress_at_ = at;
  } else if (at - progress_at_ >= services_.options.slow_reader) {
    begin_close(net::CloseCode::try_again_later, "slow_consumer");
    socket_->abort(net::CloseCode::try_again_later, "slow_consumer");
  }
}

}  // namespace tars::api
