#include "llm/llama/devices.h"

#include <gtest/gtest.h>

#include "llm/llama/device_handles.h"

namespace tars::llm {
namespace {

TEST(Devices, SaysMakerNameAndMemory) {
  const Device device{"CUDA0", "NVIDIA H100", 80ULL << 30, 79ULL << 30};
  EXPECT_EQ(describe(device), "NVIDIA H100 (CUDA0, 79.0 of 80.0 GiB free)");
}

TEST(Devices, ABuildForTheCpuListsNone) {
  const std::string support = gpu_support();
  EXPECT_TRUE(support.empty() || support == "cuda" || support == "vulkan") << support;
  const auto devices = list_devices();
  EXPECT_EQ(devices.size(), device_handles().size());
  EXPECT_TRUE(!support.empty() || devices.empty());
  for (const Device& device : devices) {
    EXPECT_FALSE(device.name.empty());
    EXPECT_GT(device.memory_total, 0U);
    EXPECT_LE(device.memory_free, device.memory_total);
  }
}

}  // namespace
}  // namespace tars::llm
