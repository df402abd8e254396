// llama.cpp's own handles of the devices, for the files of this folder that include llama.h.
#pragma once

#include <vector>

struct ggml_backend_device;

namespace tars::llm {

// In the order of list_devices(). They live as long as the process.
std::vector<ggml_backend_device*> device_handles();

}  // namespace tars::llm
