#include "llm/llama/thread_governor.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <thread>

namespace tars::llm {
namespace {

constexpr double kCrowded = 1.3;  // steps stretched by this much, for a pause, ask for a trial
constexpr double kWeight = 0.2;   // of a new step in an average
constexpr int kTrialSteps = 12;
constexpr int kCountedSteps = 6;  // the last ones: a thread that has waited runs freely at first
constexpr int kShortestPause = 40;  // steps between trials
constexpr int kLongestPause = 512;
constexpr double kWorthIt = 0.8;  // a change must save a fifth

}  // namespace

int usable_cpus() {
  cpu_set_t set;
  // It fails on a machine with more CPUs than the set has room for, 1,024.
  const int count = ::sched_getaffinity(0, sizeof(set), &set) == 0
                        ? CPU_COUNT(&set)
                        : static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, count);
}

ThreadGovernor::ThreadGovernor(int most) : until_trial_(kShortestPause), pause_(kShortestPause) {
  for (int threads = std::max(1, most); threads > 1; threads /= 2) levels_.push_back({threads, 0});
  levels_.push_back({1, 0});
}

void ThreadGovernor::record(double cost, double stretch) {
  if (!std::isfinite(cost) || !std::isfinite(stretch) || cost <= 0 || stretch <= 0) return;
  if (levels_.size() == 1) return;
  double& average = levels_[current_].cost;
  average = average == 0 ? cost : average + kWeight * (cost - average);
  stretch_ += kWeight * (stretch - stretch_);
  if (trial_left_ > 0) {
    if (--trial_left_ == 0) settle();
    if (trial_left_ == kCountedSteps) average = 0;
    return;
  }
  if (home_ == 0 && stretch_ <= kCrowded) {
    until_trial_ = pause_ = kShortestPause;
    return;
  }
  if (until_trial_ > 0 && --until_trial_ > 0) return;
  if (!choose_trial()) return;
  levels_[current_].cost = 0;
  trial_left_ = kTrialSteps;
}

// With all threads in use only a crowded machine is a reason to try fewer; below that, more are
// always worth a look, since the machine may be idle again.
bool ThreadGovernor::choose_trial() {
  const bool crowded = stretch_ > kCrowded;
  const bool can_go_down = crowded && home_ + 1 < levels_.size();
  if (home_ == 0 && !can_go_down) return false;
  const bool down = home_ == 0 || (can_go_down && down_next_);
  down_next_ = !down_next_;
  current_ = down ? home_ + 1 : home_ - 1;
  return true;
}

void ThreadGovernor::settle() {
  if (levels_[current_].cost < kWorthIt * levels_[home_].cost) {
    home_ = current_;
    pause_ = kShortestPause;
  } else {
    pause_ = std::min(pause_ * 2, kLongestPause);
  }
  current_ = home_;
  until_trial_ = pause_;
}

}  // namespace tars::llm
