#include "telemetry/stderr_sink.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace tars::telemetry {
namespace {

constexpr std::chrono::milliseconds kPatience{50};
// A reader that reads one line whenever it is waited for must not slow all threads down.
constexpr std::chrono::seconds kBetweenWaits{1};

}  // namespace

void StderrSink::sink_it_(const spdlog::details::log_msg& message) {
  if (lost_ > 0) {
    if (!put(lost_line_(lost_))) {
      ++lost_;
      return;
    }
    lost_ = 0;
  }
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  if (!put({line.data(), line.size()})) ++lost_;
}

// In pieces of which the kernel says that each has room (pipe(7): PIPE_BUF, as poll() means it).
bool StderrSink::put(std::string_view line) {
  if (is_cut_) {
    if (!has_room() || ::write(fd_, "\n", 1) < 0) return false;
    is_cut_ = false;
  }
  const std::size_t whole = line.size();
  while (!line.empty()) {
    const ssize_t written =
        has_room() ? ::write(fd_, line.data(), std::min<std::size_t>(line.size(), PIPE_BUF)) : -1;
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      is_cut_ = line.size() < whole;
      return false;
    }
    line.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool StderrSink::has_room() {
  pollfd entry{.fd = fd_, .events = POLLOUT, .revents = 0};
  if (::poll(&entry, 1, 0) > 0) return true;  // an error, too: write() says which
  errno = EAGAIN;
  const auto now = std::chrono::steady_clock::now();
  if (now < patient_from_) return false;
  patient_from_ = now + kBetweenWaits;
  const bool ready = ::poll(&entry, 1, static_cast<int>(kPatience.count())) > 0;
  errno = EAGAIN;
  return ready;
}

}  // namespace tars::telemetry
