#include "net/io/thread_priority.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <thread>

#include "base/cpu_time.h"

namespace tars::net {
namespace {

using namespace std::chrono_literals;

int policy() { return ::sched_getscheduler(0) & ~SCHED_RESET_ON_FORK; }

// On a thread of its own: what it chooses ends with it.
void on_a_thread(const std::function<void()>& work) { std::thread(work).join(); }

bool may_be_first() {
  bool may = false;
  on_a_thread([&may] {
    const sched_param lowest{.sched_priority = sched_get_priority_min(SCHED_RR)};
    may = ::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) == 0;
  });
  return may;
}

void use_the_core(std::chrono::nanoseconds amount) {
  const auto end = thread_cpu_time() + amount;
  while (thread_cpu_time() < end) {
  }
}

// For a thread that may come first.
class FirstThread : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!may_be_first()) GTEST_SKIP() << "this user may not choose SCHED_RR";
  }
};

TEST(NextPrecedence, GoesByTheShareOfTheCore) {
  EXPECT_EQ(next_precedence(Precedence::first, 0.0), Precedence::first);
  EXPECT_EQ(next_precedence(Precedence::equal, 0.0), Precedence::first);
  EXPECT_EQ(next_precedence(Precedence::first, 0.9), Precedence::equal);
  EXPECT_EQ(next_precedence(Precedence::equal, 0.9), Precedence::equal);
}

TEST(NextPrecedence, DoesNotGoToAndFroInBetween) {
  EXPECT_EQ(next_precedence(Precedence::first, 0.3), Precedence::first);
  EXPECT_EQ(next_precedence(Precedence::equal, 0.3), Precedence::equal);
}

TEST_F(FirstThread, IsFirstWhileItHasLittleToDo) {
  on_a_thread([] {
    ThreadPriority priority;
    SteadyTime now{};
    ASSERT_TRUE(priority.begin(now));
    EXPECT_EQ(policy(), SCHED_RR);
    use_the_core(50ms);
    priority.update(now += 100ms);
    EXPECT_EQ(priority.precedence(), Precedence::equal);
    EXPECT_EQ(policy(), SCHED_OTHER);
    priority.update(now += 10s);
    EXPECT_EQ(priority.precedence(), Precedence::first);
    EXPECT_EQ(policy(), SCHED_RR);
  });
}

TEST_F(FirstThread, GivesWaySoonWhenMuchComesAtOnce) {
  on_a_thread([] {
    ThreadPriority priority;
    SteadyTime now{};
    ASSERT_TRUE(priority.begin(now));
    now += 200ms;
    priority.give_way(now);
    use_the_core(15ms);
    priority.give_way(now + 19ms);
    EXPECT_EQ(policy(), SCHED_RR) << "a moment is no load";
    priority.give_way(now + 20ms);
    EXPECT_EQ(policy(), SCHED_OTHER);
    priority.update(now + 50ms);
    EXPECT_EQ(policy(), SCHED_OTHER) << "the quiet time before tells nothing";
    priority.update(now + 300ms);
    EXPECT_EQ(policy(), SCHED_RR);
  });
}

TEST_F(FirstThread, IsNotFirstWithWorkThatIsNotUrgent) {
  on_a_thread([] {
    ThreadPriority priority;
    SteadyTime now{};
    ASSERT_TRUE(priority.begin(now));
    priority.update(now += 10s, true);
    EXPECT_EQ(policy(), SCHED_OTHER);
    priority.update(now += 10s, false);
    EXPECT_EQ(policy(), SCHED_RR);
  });
}

TEST_F(FirstThread, IsNotInherited) {
  on_a_thread([] {
    ThreadPriority priority;
    ASSERT_TRUE(priority.begin(SteadyTime{}));
    on_a_thread([] { EXPECT_EQ(policy(), SCHED_OTHER); });
  });
}

TEST(ThreadPriority, LeavesAnotherPolicyAlone) {
  on_a_thread([] {
    const sched_param none{};
    ASSERT_EQ(::sched_setscheduler(0, SCHED_BATCH, &none), 0);
    ThreadPriority priority;
    EXPECT_FALSE(priority.begin(SteadyTime{}));
    priority.update(SteadyTime{} + 10s);
    EXPECT_EQ(priority.precedence(), std::nullopt);
    EXPECT_EQ(policy(), SCHED_BATCH);
  });
}

TEST(ThreadPriority, LeavesALowerPriorityAlone) {
  on_a_thread([] {
    ASSERT_EQ(::setpriority(PRIO_PROCESS, 0, 5), 0);  // of this thread alone (sched(7))
    ThreadPriority priority;
    EXPECT_FALSE(priority.begin(SteadyTime{}));
    EXPECT_EQ(policy(), SCHED_OTHER);
  });
}

// And a look at the load changes nothing.
TEST(ThreadPriority, StaysWhereItMayNotChoose) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_RTPRIO, &limit), 0);
  if (limit.rlim_cur > 0) GTEST_SKIP() << "every user may choose SCHED_RR here";
  on_a_thread([] {
    // The call itself is for this thread alone, and takes its capabilities; the C library's is not.
    constexpr long kNobody = 65534;
    if (::geteuid() == 0) {
      ASSERT_EQ(::syscall(SYS_setresuid, kNobody, kNobody, kNobody), 0);
    }
    ThreadPriority priority;
    EXPECT_FALSE(priority.begin(SteadyTime{}));
    priority.update(SteadyTime{} + 10s);
    EXPECT_EQ(policy(), SCHED_OTHER);
  });
}

}  // namespace
}  // namespace tars::net
