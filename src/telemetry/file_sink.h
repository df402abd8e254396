// Log lines to a file, whose disk may hang.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/error.h"
#include "telemetry/log.h"

namespace tars::telemetry {

// Appends lines to a file, from a thread of its own: every thread logs, so that a disk that hangs
// would stop the server. Up to 4 MiB of lines wait for it; what finds no room, or cannot be written
// (a full disk), is lost, counted, and said in a line of its own when the file takes lines again.
// The destructor waits until all is written, but no longer than 5 s; a process that is killed loses
// what waits. Thread-safe.
class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // A whole line, with its end, of what the sink itself has to say. Called on its thread.
  using OwnLine =
      std::function<std::string(LogLevel level, std::string_view event, const Field& field)>;
  // Called at once for lines that are lost, on any thread and on several together, since the file
  // says so only when it takes lines again.
  using OnLoss = std::function<void(std::uint64_t lines, std::string_view cause)>;
  // Makes the file, mode 0640, if it is not there. io_error saying why when it cannot be opened.
  static Result<std::shared_ptr<FileSink>> open(const std::filesystem::path& path, OwnLine own_line,
                                                OnLoss on_loss);
  ~FileSink() override;

  // Lines from now on go to the file that has the name then. Where that cannot be opened a line in
  // the old one says so, and the old one goes on.
  void reopen();
  // Returns when nothing waits any more, or after `patience`.
  void wait_until_written(std::chrono::milliseconds patience);

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}  // nobody waits for the disk

 private:
  struct State;
  explicit FileSink(std::shared_ptr<State> state);

  const std::shared_ptr<State> state_;
  std::thread writer_;
};

}  // namespace tars::telemetry
