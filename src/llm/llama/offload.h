// Which of a model's layers are computed on which devices.
#pragma once

#include <vector>

#include "llm/llama/devices.h"
#include "llm/options.h"

namespace tars::llm {

struct Offload {
  std::vector<Device> devices;  // as they were before the model was loaded; empty = the CPU alone
  int layers = 0;  // on them, counted from the output down
  int of = 0;  // the model's layers and its output layer; 0 = not known

  // Nothing but looking up the embeddings is left to the CPU.
  bool whole() const { return layers > 0 && layers >= of; }
};

// What MODEL_GPU_LAYERS means for this model on this machine. `context` in tokens for each slot.
// Says in one log line why nothing is offloaded where that was asked for, or where this build is
// for a device that is not there.
Offload plan_offload(const LlamaOptions& options, int context);

// The next try when loading has failed: half of the layers, at last none.
Offload with_fewer_layers(Offload offload);

}  // namespace tars::llm
