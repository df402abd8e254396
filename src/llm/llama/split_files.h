// Large models come in several files.
#pragma once

#include <filesystem>
#include <vector>

struct gguf_context;

namespace tars::llm {

// The files of the model that begins with `path`, whose header is `file`: that alone where it is
// not split. Empty where it is another part than the first, or is not named as llama.cpp finds the
// others by: NAME-00001-of-00003.gguf. Whether they are there is not looked at.
std::vector<std::filesystem::path> split_files(const gguf_context* file,
                                               const std::filesystem::path& path);

}  // namespace tars::llm
