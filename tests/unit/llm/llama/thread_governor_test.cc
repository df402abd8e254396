#include "llm/llama/thread_governor.h"

#include <gtest/gtest.h>

#include <sched.h>

#include <cmath>
#include <thread>

namespace tars::llm {
namespace {

// A machine where two threads cost 1 when idle and `crowded` when not, one thread 1.7 and 2.4.
struct Machine {
  bool busy = false;
  void run(ThreadGovernor& governor, int steps) const {
    for (int i = 0; i < steps; ++i) {
      const bool two = governor.threads() > 1;
      const double cost = busy ? (two ? 9.0 : 3.4) : (two ? 1.0 : 1.7);
      governor.record(cost, busy ? 2.0 : 1.02);
      steps_with_one += two ? 0 : 1;
    }
  }
  mutable int steps_with_one = 0;
};

TEST(UsableCpus, AreThoseThatTheProcessMayUse) {
  const int all = usable_cpus();
  EXPECT_GE(all, 1);
  int pinned = 0;
  std::thread([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof(one), &one), 0);
    pinned = usable_cpus();
  }).join();
  EXPECT_EQ(pinned, 1);
  EXPECT_EQ(usable_cpus(), all);
}

TEST(ThreadGovernor, KeepsAllThreadsOnAnIdleMachine) {
  ThreadGovernor governor(2);
  const Machine idle;
  idle.run(governor, 1000);
  EXPECT_EQ(idle.steps_with_one, 0);
}

TEST(ThreadGovernor, GoesDownWhenCrowdedAndUpAgain) {
  ThreadGovernor governor(2);
  Machine machine;
  machine.run(governor, 100);
  machine.busy = true;
  machine.run(governor, 60);
  machine.steps_with_one = 0;
  machine.run(governor, 400);
  EXPECT_GT(machine.steps_with_one, 340);  // all but the trials of more
  machine.busy = false;
  machine.run(governor, 400);
  machine.steps_with_one = 0;
  machine.run(governor, 200);
  EXPECT_EQ(machine.steps_with_one, 0);
}

TEST(ThreadGovernor, StaysWhereFewerDoNotHelp) {
  ThreadGovernor governor(4);
  int fewer = 0;
  for (int i = 0; i < 1000; ++i) {
    fewer += governor.threads() < 4 ? 1 : 0;
    governor.record(4.0 / governor.threads(), 2.0);
  }
  EXPECT_LT(fewer, 60);
}

TEST(ThreadGovernor, DoesNotTryFewerInABriefCrowd) {
  ThreadGovernor governor(2);
  Machine machine;
  for (int burst = 0; burst < 20; ++burst) {
    machine.busy = true;
    machine.run(governor, 20);
    machine.busy = false;
    machine.run(governor, 40);
  }
  EXPECT_EQ(machine.steps_with_one, 0);
}

// A thread that waited for others has time saved up, and runs undisturbed for the first steps.
TEST(ThreadGovernor, IsNotTakenInByTheFirstStepsOfATrial) {
  ThreadGovernor governor(2);
  int with_one = 0;
  for (int i = 0; i < 1000; ++i) {
    const bool two = governor.threads() > 1;
    with_one = two ? 0 : with_one + 1;
    ASSERT_LT(with_one, 20) << "step " << i;
    governor.record(two ? 2.0 : with_one <= 5 ? 1.0 : 2.4, 2.0);
  }
}

TEST(ThreadGovernor, FindsOneOfEight) {
  ThreadGovernor governor(8);
  for (int i = 0; i < 400; ++i) governor.record(governor.threads(), 3.0);
  int low = 0;
  for (int i = 0; i < 100; ++i) {
    low += governor.threads() <= 2 ? 1 : 0;
    governor.record(governor.threads(), 3.0);
  }
  EXPECT_GT(low, 80);
}

TEST(ThreadGovernor, IgnoresNonsense) {
  ThreadGovernor governor(2);
  for (int i = 0; i < 100; ++i) governor.record(std::nan(""), 5);
  for (int i = 0; i < 100; ++i) governor.record(-1, 5);
  EXPECT_EQ(governor.threads(), 2);
  ThreadGovernor single(1);
  for (int i = 0; i < 100; ++i) single.record(9, 9);
  EXPECT_EQ(single.threads(), 1);
}

}  // namespace
}  // namespace tars::llm
