#include "llm/llama/cpu_kernels.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

namespace tars::llm {
namespace {

std::size_t threads_of_this_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

// A thread that was joined stays listed until the kernel has taken it down.
std::size_t settled_threads() {
  std::size_t seen = 0;
  for (int same = 0; same < 10;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const std::size_t now = threads_of_this_process();
    same = now == seen ? same + 1 : 0;
    seen = now;
  }
  return seen;
}

TEST(CpuKernels, AreThereHoweverOftenTheyAreAskedFor) {
  ASSERT_TRUE(load_cpu_kernels());
  EXPECT_TRUE(load_cpu_kernels());
}

TEST(CpuKernels, ThreadsEndWithTheirPool) {
  ASSERT_TRUE(load_cpu_kernels());
  std::thread([] {}).join();  // with the first thread a sanitizer may start one of its own
  const std::size_t before = settled_threads();
  {
    const ThreadPool pool = start_threads(3);
    ASSERT_NE(pool, nullptr);
    EXPECT_EQ(threads_of_this_process(), before + 2);  // the caller is the third
  }
  EXPECT_EQ(settled_threads(), before);
}

}  // namespace
}  // namespace tars::llm
