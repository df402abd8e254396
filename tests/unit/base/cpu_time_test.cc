#include "base/cpu_time.h"

#include <gtest/gtest.h>

#include <thread>

namespace tars {
namespace {

using namespace std::chrono_literals;

TEST(ThreadCpuTime, GrowsWithWorkAndNotWithSleep) {
  std::thread([] {
    const auto begun = thread_cpu_time();
    std::this_thread::sleep_for(50ms);
    EXPECT_LT(thread_cpu_time() - begun, 50ms);
    while (thread_cpu_time() - begun < 10ms) {
    }
    EXPECT_GE(thread_cpu_time(), 10ms);
  }).join();
}

TEST(ThreadCpuTime, IsOfTheCallingThreadAlone) {
  while (thread_cpu_time() < 20ms) {
  }
  std::thread([] { EXPECT_LT(thread_cpu_time(), 20ms); }).join();
}

}  // namespace
}  // namespace tars
