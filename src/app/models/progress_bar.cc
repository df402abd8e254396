#include "app/models/progress_bar.h"

#include <iomanip>
#include <sstream>

namespace tars::app {
namespace {

using std::chrono::duration;

constexpr int kWidth = 30;
constexpr std::uint64_t kPlainStep = 100'000'000;  // bytes between two lines without a total
constexpr std::chrono::milliseconds kRedraw{100};
constexpr const char* kEraseLine = "\r\033[K";

double mega(std::uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

int percent(const Progress& progress) {
  if (!progress.total || *progress.total == 0) return 0;
  return static_cast<int>(static_cast<double>(progress.bytes) * 100.0 /
                          static_cast<double>(*progress.total));
}

}  // namespace

std::string progress_line(const Progress& progress, double speed) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(0);
  if (progress.total) {
    const int filled = percent(progress) * kWidth / 100;
    out << '[' << std::string(static_cast<std::size_t>(filled), '#')
        << std::string(static_cast<std::size_t>(kWidth - filled), ' ') << "] " << std::setw(3)
        << percent(progress) << " %  " << mega(progress.bytes) << " of " << mega(*progress.total)
        << " MB";
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

ProgressBar::ProgressBar(std::ostream& out, bool terminal, Now now)
    : out_(out), terminal_(terminal), now_(std::move(now)) {}

bool ProgressBar::is_due(const Progress& progress) const {
  if (terminal_) return now_() - shown_at_ >= kRedraw || progress.bytes == progress.total;
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
  if (terminal_) {
    out_ << kEraseLine << progress_line(progress, speed) << std::flush;
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
