#include "net/io/connection.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

#include "net/io/io_thread.h"

namespace tars::net {
namespace {

namespace asio = boost::asio;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
// The most that one TLS record holds (RFC 8446 section 5.1).
constexpr std::size_t kRecord = 16 * 1024;
constexpr std::size_t kOneBuffer = 2048;

}  // namespace

Connection::Connection(IoThread& thread, Socket socket, std::string remote_address,
                       const std::shared_ptr<SSL_CTX>& tls)
    : thread_(thread), socket_(std::move(socket)), remote_address_(std::move(remote_address)) {
  if (tls) tls_.emplace(tls, socket_.native_handle());
}

Connection::~Connection() {
  close();
  thread_.connection_ended();
}

Connection::Step Connection::try_read(std::span<char> into) {
  Step out;
  if (tls_) {
    const TlsStep step = tls_->read(into);
    return {step.error, step.bytes, step.wants_write ? Socket::wait_write : Socket::wait_read};
  }
  out.bytes = socket_.read_some(asio::buffer(into.data(), into.size()), out.error);
  return out;
}

Connection::Step Connection::try_write(std::string_view first, std::string_view second) {
  Step out;
  if (tls_) {
    const TlsStep step = tls_->write(first.empty() ? second : first);
    return {step.error, step.bytes, step.wants_write ? Socket::wait_write : Socket::wait_read};
  }
  if (second.empty()) {
    out.bytes = socket_.write_some(asio::buffer(first), out.error);
  } else {
    const std::array<asio::const_buffer, 2> parts{asio::buffer(first), asio::buffer(second)};
    out.bytes = socket_.write_some(parts, out.error);
  }
  out.wait = Socket::wait_write;
  return out;
}

boost::system::error_code Connection::put(std::string_view first, std::string_view second) {
  if (tls_ || second.size() <= kOneBuffer) {
    // A frame's head and its text in one buffer: a system call with two costs more than the copy,
    // and each TLS record a header and a tag.
    const auto beside = second.substr(0, kRecord - std::min(first.size(), kRecord));
    std::string& both = thread_.write_buffer();
    both.assign(first).append(beside);
    first = both;
    second.remove_prefix(beside.size());
  }
  while (!has_unsent() && first.size() + second.size() > 0) {
    const Step step = try_write(first, second);
    if (step.would_block()) break;
    if (step.error) return step.error;
    bytes_written += step.bytes;
    const std::size_t of_first = std::min(step.bytes, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(step.bytes - of_first);
  }
  unsent_.append(first).append(second);
  return {};
}

Connection::Step Connection::flush_some() {
  const Step step = try_write(std::string_view(unsent_).substr(unsent_at_));
  if (step.error) return step;
  bytes_written += step.bytes;
  unsent_at_ += step.bytes;
  if (has_unsent()) return step;
  std::string().swap(unsent_);
  unsent_at_ = 0;
  return step;
}

asio::awaitable<bool> Connection::handshake() {
  for (;;) {
    const TlsStep step = tls_->handshake();
    if (!step.error) co_return true;
    if (step.error != asio::error::would_block) co_return false;
    const auto [ec] = co_await socket_.async_wait(
        step.wants_write ? Socket::wait_write : Socket::wait_read, kAwait);
    if (ec) co_return false;
  }
}

bool Connection::fell_back_to_http() {
  if (!tls_ || !tls_->peer_spoke_http()) return false;
  tls_.reset();
  return true;
}

asio::awaitable<Connection::Received> Connection::receive(bool more_expected) {
  bool wait = !more_expected && !has_pending();
  auto wait_for = Socket::wait_read;
  for (;;) {
    if (wait) {
      const auto [ec] = co_await socket_.async_wait(wait_for, kAwait);
      if (ec) co_return Received{ec, {}};
    }
    auto& buffer = thread_.read_buffer();
    const Step step = try_read(buffer);
    if (!step.would_block()) {
      co_return Received{step.error, std::string_view(buffer.data(), step.bytes)};
    }
    wait_for = step.wait;
    wait = true;
  }
}

asio::awaitable<bool> Connection::send(std::string_view first, std::string_view second,
                                       std::chrono::seconds timeout, std::size_t slowest) {
  const std::chrono::milliseconds longest =
      timeout + std::chrono::milliseconds((first.size() + second.size()) * 1000 / slowest);
  SteadyTime end;
  std::string kept;  // what was not sent of `first` when the first wait began
  for (bool waited = false;;) {
    const Step step = try_write(first, second);
    if (step.error && !step.would_block()) co_return false;
    const std::size_t of_first = std::min(step.bytes, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(step.bytes - of_first);
    if (first.empty() && second.empty()) {
      if (waited) clear_deadline();
      co_return true;
    }
    if (!step.would_block()) continue;
    const auto now = std::chrono::steady_clock::now();
    if (!std::exchange(waited, true)) {
      kept = first;
      first = kept;
      end = now + longest;
    }
    set_deadline(std::min(end, now + timeout));
    const auto [ec] = co_await socket_.async_wait(step.wait, kAwait);
    if (ec) co_return false;
  }
}

void Connection::finish_sending() {
  if (tls_) tls_->say_goodbye();
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

asio::awaitable<void> Connection::linger(std::chrono::seconds limit) {
  phase = Phase::lingering;
  finish_sending();
  set_deadline_in(limit);
  bool more = true;
  for (;;) {
    const auto received = co_await receive(more);
    if (received.error) co_return;
    // A peer that sends without pause would otherwise keep this thread: let others run.
    more = false;
  }
}

void Connection::set_deadline(SteadyTime at) {
  deadline_ = at;
  timed_out_ = false;
}

void Connection::set_deadline_in(std::chrono::milliseconds from_now) {
  set_deadline(std::chrono::steady_clock::now() + from_now);
}

void Connection::begin_idle() {
  phase = Phase::idle;
  waiting_since_ = std::chrono::steady_clock::now();
}

bool Connection::has_input() const {
  boost::system::error_code ec;
  return has_pending() || (socket_.available(ec) > 0 && !ec);
}

void Connection::check_deadline(SteadyTime now) {
  if (now < deadline_) return;
  timed_out_ = true;
  if (phase == Phase::lingering || phase == Phase::websocket) {
    close();
  } else {
    // Again at the next look, should no operation be waiting at this moment.
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }
}

void Connection::close() {
  if (tls_) tls_->end();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace tars::net
