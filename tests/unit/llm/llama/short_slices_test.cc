#include "llm/llama/short_slices.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <thread>

namespace tars::llm {
namespace {

// The part of struct sched_attr (sched_setattr(2)) that every kernel knows.
struct Attributes {
  std::uint32_t size = 0;
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};

Attributes attributes_of_this_thread() {
  Attributes attributes;
  EXPECT_EQ(syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0), 0);
  return attributes;
}

TEST(ShortSlices, ChangeNothingButTheSliceAndAreInherited) {
  std::thread([] {
    const Attributes before = attributes_of_this_thread();
    const bool done = ask_for_short_slices(std::chrono::microseconds(200));
    const Attributes after = attributes_of_this_thread();
    EXPECT_EQ(after.policy, before.policy);
    EXPECT_EQ(after.nice, before.nice);
    // Older kernels take the call and tell no slice.
    if (!done || after.runtime == before.runtime) return;
    EXPECT_EQ(after.runtime, 200'000U);
    std::thread([] { EXPECT_EQ(attributes_of_this_thread().runtime, 200'000U); }).join();
  }).join();
}

}  // namespace
}  // namespace tars::llm
