// What this build can compute on besides the processor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tars::llm {

// A device that a model's layers can be offloaded to. An integrated one shares the machine's
// memory.
struct Device {
  std::string name;         // llama.cpp's, such as CUDA0
  std::string description;  // the maker's
  std::uint64_t memory_total = 0;  // bytes
  std::uint64_t memory_free = 0;   // bytes, at the moment of the call
};

// What this program was built for: "cuda", "vulkan", or "" for the CPU alone.
std::string gpu_support();

// Those that a model would be offloaded to: every GPU with memory of its own, else the first
// integrated one. Empty where there is none, its driver is missing, or the build has no support.
// Takes part of a second when it is called first, because drivers start. Thread-safe.
std::vector<Device> list_devices();

// "NVIDIA H100 80GB HBM3 (CUDA0, 79.1 of 79.6 GiB free)", for people.
std::string describe(const Device& device);
// Each of them, with a + between; "" where there is none.
std::string describe(const std::vector<Device>& devices);

}  // namespace tars::llm
