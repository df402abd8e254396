#include "llm/llama/cpu_kernels.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

namespace tars::llm {
namespace {

std::size_t threads_of_this_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

TEST(CpuKernels, AreThereHoweverOftenTheyAreAskedFor) {
  ASSERT_TRUE(load_cpu_kernels());
  EXPECT_TRUE(load_cpu_kernels());
}

TEST(CpuKernels, ThreadsEndWithTheirPool) {
  ASSERT_TRUE(load_cpu_kernels());
  std::thread([] {}).join();  // with the first thread a sanitizer may start one of its own
  const std::size_t before = threads_of_this_process();
  {
    const ThreadPool pool = start_threads(3);
    ASSERT_NE(pool, nullptr);
    EXPECT_EQ(threads_of_this_process(), before + 2);  // the caller is the third
  }
  EXPECT_EQ(threads_of_this_process(), before);
}

}  // namespace
}  // namespace tars::llm
