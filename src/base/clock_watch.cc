#include "base/clock_watch.h"

namespace tars {

std::chrono::microseconds ClockWatch::apart(WallTime wall, SteadyTime steady) const {
  return (wall - wall_) - std::chrono::duration_cast<std::chrono::microseconds>(steady - steady_);
}

bool ClockWatch::has_settled(WallTime wall, SteadyTime steady) {
  if (std::chrono::abs(apart(wall, steady)) > kTolerance) {
    wall_ = wall;
    steady_ = steady;
  }
  return steady - steady_ >= kSettled;
}

}  // namespace tars
