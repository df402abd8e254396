#include "cli/answer_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string_view>
#include <utility>

namespace tars::cli {

AnswerStream::AnswerStream(int descriptor, std::optional<std::chrono::milliseconds> patience)
    : std::ostream(nullptr), buffer_(descriptor, patience) {
  rdbuf(&buffer_);
}

int AnswerStream::finish() {
  flush();
  return buffer_.error();
}

AnswerStream::Buffer::int_type AnswerStream::Buffer::overflow(int_type c) {
  if (!traits_type::eq_int_type(c, traits_type::eof())) pending_ += traits_type::to_char_type(c);
  return traits_type::not_eof(c);
}

std::streamsize AnswerStream::Buffer::xsputn(const char* text, std::streamsize size) {
  pending_.append(text, static_cast<std::size_t>(size));
  return size;
}

// A pipe that does takes PIPE_BUF at once.
bool AnswerStream::Buffer::takes_more() const {
  if (!patience_) return true;
  pollfd waiting{descriptor_, POLLOUT, 0};
  int found = 0;
  do {
    found = ::poll(&waiting, 1, static_cast<int>(patience_->count()));
  } while (found < 0 && errno == EINTR);
  return found != 0;
}

int AnswerStream::Buffer::sync() {
  const std::string text = std::exchange(pending_, {});
  std::string_view left = text;
  while (error_ == 0 && !left.empty()) {
    if (!takes_more()) {
      error_ = ETIMEDOUT;
      break;
    }
    const std::size_t most = patience_ ? PIPE_BUF : left.size();
    const ssize_t written = ::write(descriptor_, left.data(), std::min(left.size(), most));
    if (written >= 0) {
      left.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  return error_ == 0 ? 0 : -1;
}

bool occupy_closed_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    // The lowest number that is free, which is this one. Only to read, so that writing fails.
    if (::open("/dev/null", O_RDONLY) != descriptor) return false;
  }
  return true;
}

}  // namespace tars::cli
