#include "llm/llama/usable_memory.h"

#include <gmock/gmock.h>

#include <fstream>
#include <limits>
#include <string>

#include "../../../support/temp_folder.h"
#include "test_model.h"

namespace tars::llm {
namespace {

class UsableMemory : public ::testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    const auto path = folder_.path() / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::uint64_t usable() { return usable_memory(folder_.path()); }

  const TempFolder folder_;
};

TEST_F(UsableMemory, IsWhatTheMachineHasFree) {
  EXPECT_EQ(usable(), std::numeric_limits<std::uint64_t>::max()) << "nothing tells";
  write("proc/meminfo", "MemTotal:  9000 kB\nMemFree:  100 kB\nMemAvailable:    4000 kB\n");
  EXPECT_EQ(usable(), 4000U << 10);
  EXPECT_GT(usable_memory(), 1U << 20) << "of this machine";
}

TEST_F(UsableMemory, IsNoMoreThanTheLeastOfTheCgroupsAround) {
  write("proc/meminfo", "MemAvailable:  4000 kB\n");
  write("proc/self/cgroup", "0::/system.slice/tars.service\n");
  write("sys/fs/cgroup/system.slice/tars.service/memory.max", "max\n");
  EXPECT_EQ(usable(), 4000U << 10);
  write("sys/fs/cgroup/system.slice/memory.max", "3000000\n");
  EXPECT_EQ(usable(), 3000000U);
  write("sys/fs/cgroup/system.slice/tars.service/memory.max", "2000000\n");
  EXPECT_EQ(usable(), 2000000U);
}

TEST_F(UsableMemory, KnowsTheFirstVersionOfCgroupsInAContainer) {
  write("proc/self/cgroup", "9:memory:/docker/1f\n3:cpu,cpuacct:/docker/1f\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000000\n");
  EXPECT_EQ(usable(), 1000000U);
}

TEST(WarnOfLittleMemory, NamesTheSizesAndTheOptions) {
  LlamaOptions options;
  options.model_path = test_model();
  ASSERT_FALSE(options.model_path.empty());
  options.slots = 4;
  const auto said = [&](std::uint64_t usable) {
    ::testing::internal::CaptureStderr();
    warn_of_little_memory(options, 4096, usable);
    return ::testing::internal::GetCapturedStderr();
  };
  // SmolLM2-135M keeps 22.5 KiB for each token.
  const std::string line = said(200U << 20);
  EXPECT_THAT(line, ::testing::HasSubstr("context_mib=360 usable_mib=200 MODEL_SLOTS=4"));
  EXPECT_THAT(line, ::testing::HasSubstr("MODEL_CONTEXT_LENGTH=4096"));
  EXPECT_EQ(said(8ULL << 30), "");
}

}  // namespace
}  // namespace tars::llm
