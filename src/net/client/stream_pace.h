// Which bytes of a stream are worth a wait for the next ones.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace tars::net {

// For the reader of one stream that comes in small pieces, tokens for instance, when it has much to
// do: a read of two costs little more than a read of one. What waits does so for kLongestWait at
// most, and only while the next piece is expected within that time, by the longest gaps of late.
// So pairs are made of 50 tokens a second, and an even stream of fewer than 33 never waits. Where
// the next piece did not come the stream is none of those (it comes in bursts, or its sender holds
// a piece back until the last one is acknowledged, RFC 896), and has to be learned anew.
class StreamPace {
 public:
  static constexpr std::chrono::milliseconds kLongestWait{30};
  // A stream as fast as the network is not to be held up.
  static constexpr int kMostPieces = 8;

  // A piece has come. Whether it, and what waited before it, is left for the next one, until due()
  // at the latest.
  bool waits(SteadyTime now);
  // What waited was read.
  void taken() { waiting_ = 0; }
  // It was due before the next piece came.
  void waited_in_vain() { gap_ = kLongestGap; }
  SteadyTime due() const { return due_; }

 private:
  // A longer gap says no more: a stream that pauses is known again after some eight pieces.
  static constexpr std::chrono::nanoseconds kLongestGap = 4 * kLongestWait;

  SteadyTime last_{};  // when the last piece came
  std::chrono::nanoseconds gap_ = kLongestGap;  // until the next piece, at the longest
  int waiting_ = 0;  // pieces
  SteadyTime due_{};  // of the first of them
};

}  // namespace tars::net
