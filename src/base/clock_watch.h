// Tells a wall clock that keeps pace from one that was moved.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace tars {

// Compares wall time with steady time since the last jump. A clock that boots with a wrong date and
// is set right a little later jumps, and so does one that slept; slewing, which moves both, does
// not. One thread at a time.
class ClockWatch {
 public:
  static constexpr std::chrono::minutes kSettled{10};
  static constexpr std::chrono::seconds kTolerance{60};

  ClockWatch(WallTime wall, SteadyTime steady) : wall_(wall), steady_(steady) {}

  // How much further the wall clock has gone than the steady one since the last jump; below zero:
  // it is behind. More than kTolerance is a jump, which the next look notes.
  std::chrono::microseconds apart(WallTime wall, SteadyTime steady) const;
  // A look at both clocks. True when they have moved together for kSettled: since the beginning, or
  // since the last look that found them apart by more than kTolerance.
  bool has_settled(WallTime wall, SteadyTime steady);

 private:
  WallTime wall_;
  SteadyTime steady_;
};

}  // namespace tars
