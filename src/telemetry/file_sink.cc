#include "telemetry/file_sink.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

#include "base/descriptor.h"

namespace tars::telemetry {
namespace {

constexpr std::size_t kMaxWaiting = 4 * 1024 * 1024;  // bytes
constexpr std::chrono::seconds kEndPatience{5};

std::string last_error() { return std::generic_category().message(errno); }

// The file names clients and addresses: not for everyone. Opening a pipe does not wait for one who
// reads it; what is written to it does.
Result<Descriptor> open_file(const std::filesystem::path& path) {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC;
  Descriptor file(::open(path.c_str(), kFlags | O_NONBLOCK, 0640));
  if (file.is_open() && ::fcntl(file.get(), F_SETFL, O_APPEND) == 0) return file;
  std::string why = last_error();
  std::error_code error;
  if (errno == ENXIO && std::filesystem::is_fifo(path, error)) {
    why = "it is no regular file but a pipe, and nobody reads it";
  }
  return make_error(ErrorCode::io_error, std::move(why));
}

// Owned by the writer's thread.
class File {
 public:
  File(std::filesystem::path path, Descriptor open, FileSink::OwnLine own_line,
       FileSink::OnLoss on_loss)
      : path_(std::move(path)),
        open_(std::move(open)),
        own_line_(std::move(own_line)),
        on_loss_(std::move(on_loss)) {}

  void write(std::string_view lines) {
    say_lost();
    const std::string_view rest = put(lines);
    if (rest.empty()) return;
    const std::string cause = last_error();
    const auto lost = static_cast<std::uint64_t>(std::ranges::count(rest, '\n'));
    lost_ += lost;
    on_loss_(lost, cause);
  }
  void lose(std::uint64_t lines) {
    lost_ += lines;
    say_lost();
  }
  void reopen() {
    Result<Descriptor> fresh = open_file(path_);
    if (!fresh) {
      return write(own_line_(LogLevel::error, "the log file was not opened anew",
                             {"cause", fresh.error().message}));
    }
    open_ = *std::move(fresh);
    is_cut_ = false;
  }

  const FileSink::OnLoss& on_loss() const { return on_loss_; }  // any thread

 private:
  void say_lost() {
    if (lost_ == 0) return;
    const std::string line = own_line_(
        LogLevel::warning, "log lines were lost: the log file did not take them", {"lines", lost_});
    if (put(line).empty()) lost_ = 0;
  }
  // What could not be written.
  std::string_view put(std::string_view bytes) {
    if (is_cut_ && ::write(open_.get(), "\n", 1) == 1) is_cut_ = false;
    if (is_cut_) return bytes;
    while (!bytes.empty()) {
      const ssize_t written = ::write(open_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) break;
      is_cut_ = bytes[static_cast<std::size_t>(written) - 1] != '\n';
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return bytes;
  }

  const std::filesystem::path path_;
  Descriptor open_;
  const FileSink::OwnLine own_line_;
  const FileSink::OnLoss on_loss_;
  std::uint64_t lost_ = 0;
  bool is_cut_ = false;  // the last line went out in part
};

}  // namespace

// Shared with the thread, which may outlive the sink when its disk hangs.
struct FileSink::State {
  explicit State(File opened) : file(std::move(opened)) {}
  void write_until_closed();

  File file;  // the thread's
  std::mutex mutex;
  std::condition_variable changed;
  std::string waiting;
  std::optional<std::size_t> reopen_at;  // in `waiting`: what comes before goes to the old file
  std::uint64_t lost = 0;                // for which there was no room
  bool writing = false;
  bool closing = false;
  bool done = false;
};

void FileSink::State::write_until_closed() {
  pthread_setname_np(pthread_self(), "log");
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return closing || reopen_at || !waiting.empty() || lost > 0; });
    const std::string lines = std::exchange(waiting, {});
    const auto old_lines = std::exchange(reopen_at, std::nullopt);
    const std::uint64_t missed = std::exchange(lost, 0);
    const bool last = closing;
    writing = true;
    lock.unlock();
    std::string_view rest = lines;
    if (old_lines) {
      if (*old_lines > 0) file.write(rest.substr(0, *old_lines));
      file.reopen();
      rest.remove_prefix(*old_lines);
    }
    if (!rest.empty()) file.write(rest);
    if (missed > 0) file.lose(missed);
    lock.lock();
    writing = false;
    changed.notify_all();
    if (last) break;
  }
  done = true;
  changed.notify_all();
}

Result<std::shared_ptr<FileSink>> FileSink::open(const std::filesystem::path& path,
                                                 OwnLine own_line, OnLoss on_loss) {
  Result<Descriptor> file = open_file(path);
  if (!file) return file.error();
  auto state = std::make_shared<State>(
      File(path, *std::move(file), std::move(own_line), std::move(on_loss)));
  return std::shared_ptr<FileSink>(new FileSink(std::move(state)));
}

FileSink::FileSink(std::shared_ptr<State> state)
    : state_(std::move(state)), writer_([shared = state_] { shared->write_until_closed(); }) {}

FileSink::~FileSink() {
  std::unique_lock lock(state_->mutex);
  state_->closing = true;
  state_->changed.notify_all();
  const bool done = state_->changed.wait_for(lock, kEndPatience, [this] { return state_->done; });
  lock.unlock();
  if (done) {
    writer_.join();
  } else {
    writer_.detach();
  }
}

void FileSink::reopen() {
  const std::lock_guard lock(state_->mutex);
  state_->reopen_at = state_->waiting.size();
  state_->changed.notify_all();
}

void FileSink::wait_until_written(std::chrono::milliseconds patience) {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait_for(lock, patience,
                           [this] { return state_->waiting.empty() && !state_->writing; });
}

void FileSink::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  std::unique_lock lock(state_->mutex);
  if (state_->waiting.size() + line.size() > kMaxWaiting) {
    ++state_->lost;
    lock.unlock();
    state_->file.on_loss()(1, "its disk does not keep up");
    return;
  }
  state_->waiting.append(line.data(), line.size());
  state_->changed.notify_all();
}

}  // namespace tars::telemetry
