#include "app/models/progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iomanip>
#include <sstream>
#include <string_view>
#include <utility>

namespace tars::app {
namespace {

using std::chrono::duration;

constexpr std::size_t kWidth = 30;
constexpr std::uint64_t kPlainStep = 100'000'000;  // bytes between two lines without a total
constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::size_t kUnknownColumns = 80;
constexpr const char* kEraseLine = "\r\033[K";

double mega(std::uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

int percent(const Progress& progress) {
  if (!progress.total || *progress.total == 0) return 0;
  return static_cast<int>(static_cast<double>(progress.bytes) * 100.0 /
                          static_cast<double>(*progress.total));
}

std::string bar_of(const Progress& progress) {
  if (!progress.total) return {};
  const auto filled = static_cast<std::size_t>(percent(progress)) * kWidth / 100;
  return "[" + std::string(filled, '#') + std::string(kWidth - filled, ' ') + "] ";
}

std::string figures_of(const Progress& progress, double speed) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(0);
  if (progress.total) {
    out << std::setw(3) << percent(progress) << " %  " << mega(progress.bytes) << " of "
        << mega(*progress.total) << " MB";
  } else {
    out << mega(progress.bytes) << " MB";
  }
  if (speed > 0) {
    out << std::setprecision(1) << "  " << speed / 1e6 << " MB/s";
    if (progress.total) {
      const auto left = static_cast<double>(*progress.total - progress.bytes) / speed;
      out << std::setprecision(0) << "  " << left << " s left";
    }
  }
  return out.str();
}

}  // namespace

std::size_t terminal_columns(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUnknownColumns;
  return size.ws_col;
}

bool can_redraw(int fd) {
  const char* terminal = std::getenv("TERM");
  return ::isatty(fd) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

std::string progress_line(const Progress& progress, double speed, std::size_t columns) {
  std::string line = bar_of(progress) + figures_of(progress, speed);
  if (line.size() <= columns) return line;
  line = figures_of(progress, speed);
  return line.substr(0, columns);
}

ProgressBar::ProgressBar(std::ostream& out, Columns columns, Now now)
    : out_(out), columns_(std::move(columns)), now_(std::move(now)) {}

bool ProgressBar::is_due(const Progress& progress) const {
  if (columns_) return now_() - shown_at_ >= kRedraw || progress.bytes == progress.total;
  if (progress.total) return percent(progress) / 10 > percent(shown_) / 10;
  return progress.bytes >= shown_.bytes + kPlainStep;
}

void ProgressBar::show(const Progress& progress) {
  const auto now = now_();
  // A download that begins anew has less than before.
  const bool fresh = !first_ || progress.bytes < first_->bytes;
  if (fresh) {
    first_ = progress;
    begun_ = now;
  } else if (!is_due(progress)) {
    return;
  }
  const double seconds = duration<double>(now - begun_).count();
  const double speed =
      seconds > 0 ? static_cast<double>(progress.bytes - first_->bytes) / seconds : 0;
  shown_ = progress;
  shown_at_ = now;
  if (columns_) {
    // One that reached the last column would go on in the next line, which is never erased.
    const std::size_t columns = columns_();
    out_ << kEraseLine << progress_line(progress, speed, columns > 0 ? columns - 1 : 0)
         << std::flush;
    open_line_ = true;
  } else {
    out_ << progress_line(progress, speed) << std::endl;
  }
}

void ProgressBar::finish() {
  if (open_line_) out_ << std::endl;
  open_line_ = false;
}

}  // namespace tars::app
