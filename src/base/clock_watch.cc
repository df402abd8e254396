#include "base/clock_watch.h"

namespace tars {

bool ClockWatch::has_settled(WallTime wall, SteadyTime steady) {
  const auto apart = std::chrono::abs((wall - wall_) - (steady - steady_));
  if (apart > kTolerance) {
    wall_ = wall;
    steady_ = steady;
  }
  return steady - steady_ >= kSettled;
}

}  // namespace tars
