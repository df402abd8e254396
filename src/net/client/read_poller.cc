#include "net/client/read_poller.h"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace tars::net {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kBatch = 64;  // sockets served before everybody else has a turn
constexpr std::uint32_t kWatched = EPOLLIN | EPOLLRDHUP | EPOLLET;
constexpr std::uint32_t kLast = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

boost::system::error_code system_error(int number) {
  return {number, boost::system::system_category()};
}

}  // namespace

ReadPoller::ReadPoller(asio::io_context& context)
    : asio::execution_context::service(context),
      context_(context),
      epoll_(context),
      buffer_(std::make_unique<char[]>(kReadBytes)),
      events_(kBatch),
      due_(context) {
  (void)open();
}

ReadPoller::~ReadPoller() = default;

void ReadPoller::shutdown() noexcept {
  batch_ = {};
  serving_ = nullptr;
  // What goes with a reader may close its socket, and come back here for it.
  const auto entries = std::exchange(entries_, {});
  boost::system::error_code ignored;
  epoll_.close(ignored);
}

Result<void> ReadPoller::open() {
  if (epoll_.is_open()) return {};
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  boost::system::error_code ec;
  if (epoll < 0) ec = system_error(errno);
  if (!ec) epoll_.assign(epoll, ec);
  if (!ec) return {};
  if (epoll >= 0) ::close(epoll);
  return make_error(ErrorCode::io_error, ec.message());
}

Result<void> ReadPoller::add(int socket, std::unique_ptr<Reader>& reader) {
  if (const Result<void> opened = open(); !opened) return opened.error();
  auto entry = std::make_unique<Entry>();
  entry->socket = socket;
  epoll_event event{.events = kWatched, .data = {.ptr = entry.get()}};
  const auto [at, added] = entries_.try_emplace(socket, std::move(entry));
  if (!added || ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, socket, &event) != 0) {
    const int number = added ? errno : EEXIST;
    if (added) entries_.erase(at);
    return make_error(ErrorCode::io_error, system_error(number).message());
  }
  at->second->reader = std::move(reader);
  arm();
  return {};
}

void ReadPoller::abort(int socket) {
  const auto found = entries_.find(socket);
  if (found != entries_.end()) end(*found->second, asio::error::operation_aborted);
}

// The last on_read() of an abort comes from the event loop, as every end does.
void ReadPoller::end(Entry& entry, const boost::system::error_code& ec) {
  if (serving_ == &entry) serving_ = nullptr;
  for (epoll_event& event : batch_) {
    if (event.data.ptr == &entry) event.data.ptr = nullptr;
  }
  ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, entry.socket, nullptr);
  asio::post(context_, [reader = std::move(entry.reader), ec]() mutable {
    if (ec) reader->on_read(ec, {});
    reader->complete();
  });
  entries_.erase(entry.socket);
  // Without anybody who waits, the context may run out of work.
  boost::system::error_code ignored;
  if (entries_.empty()) epoll_.cancel(ignored);
}

void ReadPoller::arm() {
  if (armed_ || entries_.empty()) return;
  epoll_.async_wait(asio::posix::descriptor_base::wait_read,
                    [this](const boost::system::error_code& ec) {
                      armed_ = false;
                      if (!ec) on_ready();
                      arm();
                      await_due();
                      if (!ec && after_batch_) after_batch_();
                    });
  armed_ = true;
}

void ReadPoller::on_ready() {
  const int count =
      ::epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
  batch_ = std::span(events_).first(static_cast<std::size_t>(std::max(count, 0)));
  const auto now = std::chrono::steady_clock::now();
  const bool coalesces = rate_.add(static_cast<int>(batch_.size()), now);
  while (!batch_.empty()) {
    const epoll_event event = batch_.front();
    batch_ = batch_.subspan(1);
    if (event.data.ptr == nullptr) continue;
    Entry& entry = *static_cast<Entry*>(event.data.ptr);
    if (!coalesces || !hold_back(entry, event.events, now)) serve(entry, event.events);
  }
}

bool ReadPoller::hold_back(Entry& entry, std::uint32_t events, SteadyTime now) {
  if ((events & kLast) != 0 || !entry.pace.waits(now)) return false;
  if (!entry.is_linked()) held_.push_back(entry);
  return true;
}

// The timer may stand for one that was served meanwhile: it looks, and waits for the next.
void ReadPoller::await_due() {
  if (due_armed_ || held_.empty()) return;
  due_.expires_at(held_.front().pace.due());
  due_.async_wait([this](const boost::system::error_code& ec) {
    due_armed_ = false;
    if (ec) return;
    on_ready();  // for whom the next piece is there, but was not seen, it was not in vain
    on_due();
    await_due();
  });
  due_armed_ = true;
}

void ReadPoller::on_due() {
  const auto now = std::chrono::steady_clock::now();
  for (std::size_t n = 0; n < kBatch; ++n) {
    if (held_.empty() || held_.front().pace.due() > now) return;
    held_.front().pace.waited_in_vain();
    serve(held_.front(), 0);
  }
}

void ReadPoller::serve(Entry& entry, std::uint32_t events) {
  entry.unlink();
  entry.pace.taken();
  serving_ = &entry;
  while (true) {
    const ssize_t n = ::recv(entry.socket, buffer_.get(), kReadBytes, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    boost::system::error_code ec;
    if (n < 0) ec = system_error(errno);
    if (n == 0) ec = asio::error::eof;
    const std::string_view bytes(buffer_.get(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    const bool more = entry.reader->on_read(ec, bytes);
    if (!serving_) return;  // it was ended meanwhile
    if (!more || ec) {
      end(entry, {});
      return;
    }
    if (bytes.size() == kReadBytes) {
      // There may be more, after the others.
      epoll_event again{.events = kWatched, .data = {.ptr = &entry}};
      ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_MOD, entry.socket, &again);
      break;
    }
    // What closes the socket behind these bytes may have come with them, and comes no second time.
    if ((events & kLast) == 0) break;
  }
  serving_ = nullptr;
}

}  // namespace tars::net
