#include "llm/llama/devices.h"

#include <ggml-backend.h>

#include <array>
#include <cstdio>

#include "llm/llama/device_handles.h"
#include "llm/llama/llama_log.h"

// Set by the package tars_llama when llama.cpp was built for it.
#ifndef TARS_LLAMA_GPU
#define TARS_LLAMA_GPU ""
#endif

namespace tars::llm {
namespace {

constexpr double kGibibyte = 1024.0 * 1024.0 * 1024.0;

}  // namespace

std::string gpu_support() { return TARS_LLAMA_GPU; }

std::vector<ggml_backend_device*> device_handles() {
  route_llama_log();
  std::vector<ggml_backend_device*> gpus;
  std::vector<ggml_backend_device*> integrated;
  for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    ggml_backend_device* const device = ggml_backend_dev_get(i);
    const auto type = ggml_backend_dev_type(device);
    if (type == GGML_BACKEND_DEVICE_TYPE_GPU) gpus.push_back(device);
    if (type == GGML_BACKEND_DEVICE_TYPE_IGPU && integrated.empty()) integrated.push_back(device);
  }
  return gpus.empty() ? integrated : gpus;
}

std::vector<Device> list_devices() {
  std::vector<Device> out;
  for (ggml_backend_device* const handle : device_handles()) {
    ggml_backend_dev_props props{};
    ggml_backend_dev_get_props(handle, &props);
    out.push_back({props.name, props.description, props.memory_total, props.memory_free});
  }
  return out;
}

std::string describe(const Device& device) {
  std::array<char, 64> memory{};
  std::snprintf(memory.data(), memory.size(), "%.1f of %.1f GiB free",
                static_cast<double>(device.memory_free) / kGibibyte,
                static_cast<double>(device.memory_total) / kGibibyte);
  return device.description + " (" + device.name + ", " + memory.data() + ")";
}

std::string describe(const std::vector<Device>& devices) {
  std::string out;
  for (const Device& device : devices) out += (out.empty() ? "" : " + ") + describe(device);
  return out;
}

}  // namespace tars::llm
