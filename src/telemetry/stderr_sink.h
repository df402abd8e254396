// Log lines to a pipe, a terminal or the journal, whose reader may stop reading.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/descriptor.h"

namespace tars::telemetry {

// Whether what is written to `fd` goes to a file on the disk that has, or is to have, `path`: when
// that disk hangs, both do.
bool is_file_beside(int fd, const std::filesystem::path& path);

// Writes lines to a descriptor that it does not own, and never waits long for its reader: every
// thread logs, so that a stopped terminal or a full pipe would stop the server. A line that finds
// no room within 50 ms is lost, the next ones at once; what was lost is counted, and said in a line
// of its own as soon as there is room again. The descriptor itself is shared with whoever started
// the program and stays as it is. Thread-safe by base_sink's lock.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // The line, with its end, that says how many lines were lost.
  using LostLine = std::function<std::string(std::uint64_t lines)>;
  // Called for each line that is lost, under the lock.
  using OnLoss = std::function<void()>;
  StderrSink(int fd, LostLine lost_line, OnLoss on_loss)
      : fd_(fd), lost_line_(std::move(lost_line)), on_loss_(std::move(on_loss)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}  // nothing is kept

 private:
  void lose();
  void look_at_descriptor();
  bool put(std::string_view line);
  ssize_t write_some(std::string_view bytes);
  bool has_room();

  const int fd_;
  const LostLine lost_line_;
  const OnLoss on_loss_;
  // What the descriptor led to when it was last looked at: it may be turned to something else.
  std::optional<std::pair<dev_t, ino_t>> place_;
  bool is_socket_ = false;
  Descriptor unblocked_;  // the same pipe or terminal, opened anew so as not to block
  std::uint64_t lost_ = 0;
  bool is_cut_ = false;  // the last line went out in part
  std::chrono::steady_clock::time_point patient_from_{};
};

}  // namespace tars::telemetry
