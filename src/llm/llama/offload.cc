#include "llm/llama/offload.h"

#include <algorithm>

#include "llm/llama/layer_sizes.h"
#include "telemetry/log.h"

namespace tars::llm {
namespace {

using telemetry::LogLevel;

// Where nothing will be offloaded because nothing is there.
void say_why(const LlamaOptions& options) {
  const std::string support = gpu_support();
  if (!support.empty()) {
    telemetry::log(
        LogLevel::warning,
        "no GPU: no device is there, or its driver is missing; the model runs on the CPU",
        {{"built_for", support}});
  } else if (options.gpu_layers > 0) {
    telemetry::log(
        LogLevel::warning,
        "no GPU: this program is built for the CPU alone, where the model runs; build it "
        "with TARS_GPU=cuda or TARS_GPU=vulkan ./scripts/run",
        {{"MODEL_GPU_LAYERS", options.gpu_layers}});
  }
}

}  // namespace

Offload plan_offload(const LlamaOptions& options, int context) {
  const auto tokens =
      static_cast<std::uint64_t>(context) * static_cast<std::uint64_t>(options.slots);
  const LayerSizes sizes = read_layer_sizes(options.model_path, tokens);
  Offload out;
  out.of = sizes.count();
  if (options.gpu_layers == 0 || out.of == 0) return out;
  out.devices = list_devices();
  if (out.devices.empty()) {
    say_why(options);
    return out;
  }
  std::vector<std::uint64_t> free;
  free.reserve(out.devices.size());
  for (const Device& device : out.devices) free.push_back(device.memory_free);
  out.layers =
      options.gpu_layers > 0 ? std::min(options.gpu_layers, out.of) : layers_that_fit(sizes, free);
  if (out.layers == 0) {
    telemetry::log(LogLevel::warning,
                   "no layer of the model fits into the GPU's free memory; it runs on the CPU",
                   {{"device", describe(out.devices.front())}});
    out.devices.clear();
  }
  return out;
}

Offload with_fewer_layers(Offload offload) {
  offload.layers /= 2;
  if (offload.layers == 0) offload.devices.clear();
  return offload;
}

}  // namespace tars::llm
