// What an operator may say about the model in this process.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace tars::llm {

struct LlamaOptions {
  std::filesystem::path model_path;  // a GGUF file with a chat template
  std::string model_name;  // what `complete` reports; empty = the file's name without .gguf
  int threads = 0;  // 0 = one for each CPU this process may use, 16 at most
  // Tokens of prompt and answer together, per generation. 0 = 4096, or what the model allows if
  // that is less. More than the model was trained for is refused at start.
  int context_length = 0;
  // Layers that a GPU computes, the output layer included: -1 = all that fit in its free memory,
  // 0 = none. More than the model has are all of them.
  int gpu_layers = -1;
  int slots = 8;  // generations in one batch; each keeps its last conversation for reuse
  std::size_t queue_size = 64;  // accepted generations that wait for a slot; past that: overloaded
};

}  // namespace tars::llm
