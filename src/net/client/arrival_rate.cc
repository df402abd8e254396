#include "net/client/arrival_rate.h"

#include <utility>

namespace tars::net {

bool ArrivalRate::add(int count, SteadyTime now) {
  count_ += count;
  if (now - since_ < kWindow) return is_often_;
  const std::chrono::duration<double> window = now - std::exchange(since_, now);
  const double rate = std::exchange(count_, 0) / window.count();
  is_often_ = rate >= (is_often_ ? often_ * 2 / 3 : often_);
  return is_often_;
}

}  // namespace tars::net
