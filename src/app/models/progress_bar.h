// How far a download is, for people.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <ostream>
#include <string>

#include "app/models/download.h"

namespace tars::app {

// One line: `[#####     ]  45 %  121 of 270 MB  12.3 MB/s  12 s left`; without a total what there
// is and how fast it comes. `speed` in bytes per second, 0 = not known yet. What does not fit into
// `columns` loses the bar first, then its end.
std::string progress_line(const Progress& progress, double speed,
                          std::size_t columns = std::string::npos);

// Of the terminal at `fd` as it is now; 80 where it does not say.
std::size_t terminal_columns(int fd);
// Whether `fd` is a terminal that can draw over a line.
bool can_redraw(int fd);

// On a terminal a line that is drawn over itself, at most ten times a second, and never as long as
// the terminal is wide, which is asked each time; elsewhere a line of its own for every tenth part.
// One thread.
class ProgressBar {
 public:
  using Now = std::function<std::chrono::steady_clock::time_point()>;
  using Columns = std::function<std::size_t()>;
  // Without `columns` there is no terminal.
  ProgressBar(std::ostream& out, Columns columns, Now now = &std::chrono::steady_clock::now);

  void show(const Progress& progress);
  // Ends the line that show() began.
  void finish();

 private:
  bool is_due(const Progress& progress) const;

  std::ostream& out_;
  const Columns columns_;
  const Now now_;
  std::optional<Progress> first_;
  std::chrono::steady_clock::time_point begun_{};
  std::chrono::steady_clock::time_point shown_at_{};
  Progress shown_;
  bool open_line_ = false;
};

}  // namespace tars::app
