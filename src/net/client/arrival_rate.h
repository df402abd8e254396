// How often something comes: often, or not.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace tars::net {

// Counts over windows of 100 ms. `often` a second, and more, are often; under two thirds of it they
// are no longer. Not often at first.
class ArrivalRate {
 public:
  explicit ArrivalRate(double often) : often_(often) {}
  // So many came now, none to know of a silence. Whether they come often, by the last whole window.
  bool add(int count, SteadyTime now);

 private:
  static constexpr std::chrono::milliseconds kWindow{100};

  double often_;
  bool is_often_ = false;
  int count_ = 0;  // since:
  SteadyTime since_{};
};

}  // namespace tars::net
