#include "net/client/stream_pace.h"

#include <algorithm>
#include <utility>

namespace tars::net {

bool StreamPace::waits(SteadyTime now) {
  constexpr int kWeight = 4;  // known after some eight pieces
  const auto gap = std::min<std::chrono::nanoseconds>(now - std::exchange(last_, now), kLongestGap);
  gap_ += (gap - gap_) / kWeight;
  if (waiting_++ == 0) due_ = now + kLongestWait;
  return now + gap_ <= due_ && waiting_ < kMostPieces;
}

}  // namespace tars::net
