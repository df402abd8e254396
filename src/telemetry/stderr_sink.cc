#include "telemetry/stderr_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace tars::telemetry {
namespace {

constexpr std::chrono::milliseconds kPatience{50};
// A reader that reads one line whenever it is waited for must not slow all threads down.
constexpr std::chrono::seconds kBetweenWaits{1};

}  // namespace

bool is_file_beside(int fd, const std::filesystem::path& path) {
  struct stat own{};
  struct stat other{};
  if (::fstat(fd, &own) != 0 || !S_ISREG(own.st_mode)) return false;
  bool found = ::stat(path.c_str(), &other) == 0;
  if (!found) found = ::stat((path.parent_path() / ".").c_str(), &other) == 0;
  return found && own.st_dev == other.st_dev;
}

void StderrSink::sink_it_(const spdlog::details::log_msg& message) {
  look_at_descriptor();
  if (lost_ > 0) {
    if (!put(lost_line_(lost_))) return lose();
    lost_ = 0;
  }
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  if (!put({line.data(), line.size()})) lose();
}

void StderrSink::lose() {
  ++lost_;
  on_loss_();
}

// A file never blocks and keeps its place, so it is written as it is. So is a pipe or terminal that
// may not be opened (another user's): poll() promises room for PIPE_BUF bytes in a pipe (pipe(7)),
// in a terminal for less than a line.
void StderrSink::look_at_descriptor() {
  struct stat status{};
  if (::fstat(fd_, &status) != 0) return;
  const std::pair place(status.st_dev, status.st_ino);
  if (place_ == place) return;
  place_ = place;
  is_socket_ = S_ISSOCK(status.st_mode);
  unblocked_ = Descriptor();
  if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode)) return;
  const std::string name = "/proc/self/fd/" + std::to_string(fd_);
  unblocked_ = Descriptor(::open(name.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

ssize_t StderrSink::write_some(std::string_view bytes) {
  const std::string_view piece = bytes.substr(0, PIPE_BUF);
  if (is_socket_) return ::send(fd_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return ::write(unblocked_.is_open() ? unblocked_.get() : fd_, piece.data(), piece.size());
}

bool StderrSink::put(std::string_view line) {
  if (is_cut_) {
    if (!has_room() || write_some("\n") < 0) return false;
    is_cut_ = false;
  }
  const std::size_t whole = line.size();
  while (!line.empty()) {
    const ssize_t written = has_room() ? write_some(line) : -1;
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
