#include "net/io/io_thread.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <ctime>
#include <utility>

#include "base/fault.h"
#include "net/address_text.h"
#include "net/client/read_poller.h"
#include "net/io/http_session.h"
#include "net/out_of_resources.h"
#include "telemetry/log.h"

namespace tars::net {
namespace {

namespace asio = boost::asio;
using telemetry::LogLevel;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
// How long accepting rests when descriptors, or connections of which none gives way, are used up.
constexpr std::chrono::milliseconds kAcceptPause{100};
// Without a refusal by the kernel for so long, descriptors are there again.
constexpr std::chrono::seconds kWantIsOver{30};
// A connection that came just now is about to send its request, behind a TLS handshake perhaps.
constexpr std::chrono::seconds kShortIdle{1};
// How exact deadlines are.
constexpr std::chrono::milliseconds kWatchInterval{250};

// Who ends first where there is no place: idle connections may end at any moment, one that lingers
// has its answer, and one that takes its time for a request, byte by byte perhaps, has had none of
// ours yet.
constexpr int kNever = 3;
int turn_to_give_way(Phase phase) {
  switch (phase) {
    case Phase::idle: return 0;
    case Phase::lingering: return 1;
    case Phase::receiving: return 2;
    case Phase::handling:
    case Phase::sending:
    case Phase::websocket: break;
  }
  return kNever;
}

// The completion handler of every detached coroutine here: an exception is a fault to log, and ends
// nothing but its coroutine.
struct LogFault {
  const char* what;
  void operator()(const std::exception_ptr& fault) const {
    if (!fault) return;
    telemetry::log(LogLevel::error, "a connection task failed",
                   {{"task", what}, {"error", describe(fault)}});
  }
};

}  // namespace

void ConnectionCount::remove() {
  if (open_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  // Under the mutex, so that a waiter is either not yet looking or already waiting.
  std::lock_guard lock(mutex_);
  none_left_.notify_all();
}

bool ConnectionCount::wait_for_none(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return none_left_.wait_for(lock, limit,
                             [this] { return open_.load(std::memory_order_acquire) == 0; });
}

IoThread::IoThread(const ServerOptions& options, Application& application, ConnectionCount& count,
                   BodyBudget& bodies)
    : options_(options),
      application_(application),
      count_(count),
      bodies_(bodies),
      read_buffer_(std::make_unique<std::array<char, 64 * 1024>>()),
      work_(context_.get_executor()),
      watch_(context_) {}

IoThread::~IoThread() {
  join();
  destroying_ = true;
}

void IoThread::start() {
  asio::co_spawn(context_, watch_deadlines(), LogFault{"deadlines"});
  for (auto& door : doors_) asio::co_spawn(context_, accept_loop(*door), LogFault{"accept"});
  thread_ = std::thread([this] { run(); });
}

void IoThread::run() {
  if (options_.threads_come_first && priority_.begin(std::chrono::steady_clock::now())) {
    asio::use_service<ReadPoller>(context_).after_batch(
        [this] { priority_.give_way(std::chrono::steady_clock::now()); });
  }
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& e) {
      telemetry::log(LogLevel::error, "an I/O handler failed", {{"error", e.what()}});
    }
  }
}

void IoThread::on_thread(void (IoThread::*member)()) {
  if (thread_.joinable()) {
    asio::post(context_, [this, member] { (this->*member)(); });
  } else {
    (this->*member)();
  }
}

void IoThread::stop_accepting() { on_thread(&IoThread::stop_accepting_here); }
void IoThread::drop_connections() { on_thread(&IoThread::drop_connections_here); }

void IoThread::stop_accepting_here() {
  draining_ = true;
  boost::system::error_code ignored;
  for (auto& door : doors_) {
    door->acceptor.close(ignored);
    door->pause.cancel();
  }
  for (auto& connection : connections_) {
    if (connection.phase == Phase::idle) connection.close();
  }
}

void IoThread::drop_connections_here() {
  for (auto& connection : connections_) connection.close();
}

void IoThread::join() {
  work_.reset();
  context_.stop();
  if (thread_.joinable()) thread_.join();
  // What was posted last may not have run any more.
  stop_accepting_here();
  drop_connections_here();
}

std::string_view IoThread::date() { return date_.at(std::time(nullptr)); }

void IoThread::connection_ended() {
  count_.remove();
  if (destroying_) return;
  for (auto& door : doors_) door->pause.cancel();
}

void IoThread::serve(Socket socket) {
  boost::system::error_code ec;
  const auto peer = socket.remote_endpoint(ec);
  if (ec) return;  // already gone
  socket.non_blocking(true, ec);
  socket.set_option(asio::ip::tcp::no_delay(true), ec);
  try {
    auto connection = std::make_shared<Connection>(
        *this, std::move(socket), address_text(peer.address()), tls_ ? tls_->current() : nullptr);
    count_.add();
    connections_.push_back(*connection);
    asio::co_spawn(context_, serve_connection(std::move(connection)), LogFault{"connection"});
  } catch (const std::exception& e) {
    // No memory for this one is no reason to accept none any more.
    telemetry::log(LogLevel::error, "a connection cannot be served", {{"error", e.what()}});
  }
}

void IoThread::close_one() {
  const auto now = std::chrono::steady_clock::now();
  Connection* chosen = nullptr;
  std::pair first(kNever, SteadyTime::min());  // the turn of the one that is chosen, and since when
  for (auto& connection : connections_) {
    const std::pair place(turn_to_give_way(connection.phase), connection.waiting_since());
    if (place >= first || now - place.second < kShortIdle) continue;
    // The next request of an idle one has come and is about to be read.
    if (connection.phase == Phase::idle && connection.has_input()) continue;
    first = place;
    chosen = &connection;
  }
  if (chosen != nullptr) chosen->close();
}

// There is no place for whoever comes next: once somebody waits to be let in, one connection ends
// for them. Otherwise whoever holds them all would keep everybody out. `want` says what there is
// none of; empty for the connections' own limit.
asio::awaitable<void> IoThread::make_room(Door& door, std::string want) {
  co_await door.acceptor.async_wait(Acceptor::wait_read, kAwait);
  if (draining_ || (want.empty() && count_.value() < options_.max_connections)) co_return;
  // Once for a time of want, not ten times a second.
  const auto now = std::chrono::steady_clock::now();
  if (!want.empty() && now > std::exchange(want_until_, now + kWantIsOver)) {
    telemetry::log(LogLevel::warning, "accepting pauses: no descriptors or memory left",
                   {{"error", want}});
  }
  close_one();
  // Until it has ended (or another one), or to look again.
  door.pause.expires_after(kAcceptPause);
  co_await door.pause.async_wait(kAwait);
}

asio::awaitable<void> IoThread::accept_loop(Door& door) {
  bool refused = false;  // for want of descriptors or memory
  while (!draining_) {
    if (count_.value() >= options_.max_connections) {
      co_await make_room(door, {});
      continue;
    }
    auto [ec, socket] = co_await door.acceptor.async_accept(kAwait);
    if (!ec) {
      refused = false;
      serve(std::move(socket));
    } else if (is_out_of_resources(ec) && !std::exchange(refused, true)) {
      // Linux takes a descriptor before it looks whether anybody waits. When somebody does there
      // may be one again.
      co_await door.acceptor.async_wait(Acceptor::wait_read, kAwait);
    } else if (is_out_of_resources(ec)) {
      co_await make_room(door, ec.message());
      refused = false;
    } else if (!door.acceptor.is_open()) {
      co_return;
    }
  }
}

asio::awaitable<void> IoThread::watch_deadlines() {
  for (;;) {
    watch_.expires_after(kWatchInterval);
    const auto [ec] = co_await watch_.async_wait(kAwait);
    if (ec) co_return;
    const auto now = std::chrono::steady_clock::now();
    // What may wait for the next piece need not come before others.
    priority_.update(now, asio::use_service<ReadPoller>(context_).coalesces(now));
    for (auto& connection : connections_) connection.check_deadline(now);
  }
}

}  // namespace tars::net
