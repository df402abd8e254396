#include "net/client/stream_pace.h"

#include <algorithm>
#include <utility>

namespace tars::net {

bool StreamPace::waits(SteadyTime now) {
  constexpr int kForgets = 4;  // of a long gap, one part in so many with each piece
  const auto gap = std::min<std::chrono::nanoseconds>(now - std::exchange(last_, now), kLongestGap);
  gap_ = std::max(gap, gap_ + (gap - gap_) / kForgets);
  if (waiting_++ == 0) due_ = now + kLongestWait;
  return now + gap_ <= due_ && waiting_ < kMostPieces;
}

}  // namespace tars::net
