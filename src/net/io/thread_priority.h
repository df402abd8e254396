// Which threads come first on a core: those that move bytes, while they take little of it.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"

namespace tars::net {

// Of a thread that waits for sockets: whether it runs before all that compute (SCHED_RR, sched(7)),
// where a token, or a request, is not kept waiting behind a model's work or a neighbour's; or as
// all others do.
enum class Precedence { first, equal };

// The next precedence of a thread that had `now` and used `share` of its core (0 to 1). One that
// has much to do is no longer first: it would keep its neighbours off the core, and take its
// work in pieces as small as they come, which costs more for each. In between nothing changes.
Precedence next_precedence(Precedence now, double share);

// For one thread, and called on it. A thread of a process that somebody gave another policy or a
// lower priority (nice(1), CPUSchedulingPolicy= of systemd) keeps that, and one that may not choose
// (no CAP_SYS_NICE and RLIMIT_RTPRIO 0, as most containers have it) stays as it is. Threads that it
// begins are as all others.
class ThreadPriority {
 public:
  // First. False where the thread is not to be, or may not be, first.
  bool begin(SteadyTime now);
  // From time to time: by what the thread has used since the last call. Not first while its work
  // is `not_urgent`.
  void update(SteadyTime now, bool not_urgent = false);
  // As often as it likes, while there is much to do: does not wait for the next update() once the
  // thread has used too much for 20 ms.
  void give_way(SteadyTime now);
  // Empty where the thread stays as it is.
  std::optional<Precedence> precedence() const { return precedence_; }

 private:
  struct Look {
    SteadyTime at{};
    std::chrono::nanoseconds used{};  // of CPU time, by then
  };

  // Of a core, from `last` to now, which takes its place.
  static double share_since(Look& last, SteadyTime now);
  void choose_next(Precedence next);

  std::optional<Precedence> precedence_;
  Look last_update_;
  Look last_look_;  // of give_way()
  bool gave_way_ = false;  // since the last update
};

}  // namespace tars::net
