#include "net/io/thread_priority.h"

#include <sched.h>
#include <sys/resource.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/cpu_time.h"
#include "telemetry/log.h"

namespace tars::net {
namespace {

// 100 streams of 50 tokens a second are 0.15 of a core, 500 are 0.5.
constexpr double kTooMuch = 0.35;
constexpr double kLittle = 0.2;
constexpr std::chrono::milliseconds kShortLook{20};

// Whoever may not choose may not drop SCHED_RESET_ON_FORK either (sched(7)): it stays.
bool choose(Precedence precedence) {
  const bool first = precedence == Precedence::first;
  const sched_param parameters{.sched_priority = first ? sched_get_priority_min(SCHED_RR) : 0};
  return ::sched_setscheduler(0, (first ? SCHED_RR : SCHED_OTHER) | SCHED_RESET_ON_FORK,
                              &parameters) == 0;
}

bool somebody_chose() {
  return ::sched_getscheduler(0) != SCHED_OTHER || ::getpriority(PRIO_PROCESS, 0) > 0;
}

}  // namespace

Precedence next_precedence(Precedence now, double share) {
  if (share > kTooMuch) return Precedence::equal;
  if (share < kLittle) return Precedence::first;
  return now;
}

double ThreadPriority::share_since(Look& last, SteadyTime now) {
  const Look before = std::exchange(last, {now, thread_cpu_time()});
  return std::chrono::duration<double>(last.used - before.used) /
         std::chrono::duration<double>(last.at - before.at);
}

bool ThreadPriority::begin(SteadyTime now) {
  if (somebody_chose()) return false;
  if (!choose(Precedence::first)) {
    telemetry::log(telemetry::LogLevel::debug, "an I/O thread does not come before others",
                   {{"error", std::generic_category().message(errno)}});
    return false;
  }
  precedence_ = Precedence::first;
  last_update_ = last_look_ = {now, thread_cpu_time()};
  return true;
}

void ThreadPriority::update(SteadyTime now, bool not_urgent) {
  if (!precedence_ || now <= last_update_.at) return;
  const double share = share_since(last_update_, now);
  const bool gave_way = std::exchange(gave_way_, false);
  const Precedence next = not_urgent ? Precedence::equal : next_precedence(*precedence_, share);
  // What came at the end of a quiet time may have only begun.
  if (!gave_way || next == Precedence::equal) choose_next(next);
}

void ThreadPriority::give_way(SteadyTime now) {
  if (precedence_ != Precedence::first || now - last_look_.at < kShortLook) return;
  const double share = share_since(last_look_, now);
  if (next_precedence(Precedence::first, share) == Precedence::first) return;
  choose_next(Precedence::equal);
  gave_way_ = true;
}

void ThreadPriority::choose_next(Precedence next) {
  if (next != *precedence_ && choose(next)) precedence_ = next;
}

}  // namespace tars::net
