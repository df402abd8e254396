// How far a download is, for people.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <ostream>
#include <string>

#include "app/models/download.h"

namespace tars::app {

// One line: `[#####     ]  45 %  121 of 270 MB  12.3 MB/s  12 s left`; without a total what there
// is and how fast it comes. `speed` in bytes per second, 0 = not known yet.
std::string progress_line(const Progress& progress, double speed);

// On a terminal a line that is drawn over itself, at most ten times a second; elsewhere a line of
// its own for every tenth part. One thread.
class ProgressBar {
 public:
  using Now = std::function<std::chrono::steady_clock::time_point()>;
  ProgressBar(std::ostream& out, bool terminal, Now now = &std::chrono::steady_clock::now);

  void show(const Progress& progress);
  // Ends the line that show() began.
  void finish();

 private:
  bool is_due(const Progress& progress) const;

  std::ostream& out_;
  const bool terminal_;
  const Now now_;
  std::optional<Progress> first_;
  std::chrono::steady_clock::time_point begun_{};
  std::chrono::steady_clock::time_point shown_at_{};
  Progress shown_;
  bool open_line_ = false;
};

}  // namespace tars::app
