// How many of a model's layers fit on a device, from the file's header alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace tars::llm {

// What each layer needs where it is computed: its weights, and the memory that attention keeps of
// `context` tokens. The last entry is the output layer, which has weights only. The table of token
// embeddings is not in it: llama.cpp keeps that beside the CPU.
struct LayerSizes {
  std::vector<std::uint64_t> bytes;
  std::uint64_t context = 0;  // how much of all of them is for the tokens
  int count() const { return static_cast<int>(bytes.size()); }
};

// `context` in tokens, of all slots together; two bytes for each value that is kept. Empty when the
// header cannot be read or tells no layers; check_model_file() says what is wrong with such a file.
// Takes milliseconds.
LayerSizes read_layer_sizes(const std::filesystem::path& path, std::uint64_t context);

// How many layers, counted from the output down as llama.cpp does, fit into `free` bytes on each of
// the devices. A part of each device is left for what a batch needs while it is computed.
int layers_that_fit(const LayerSizes& sizes, const std::vector<std::uint64_t>& free);

}  // namespace tars::llm
