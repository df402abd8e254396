#include "llm/llama/split_files.h"

#include <llama.h>

#include <string>

#include "llm/llama/gguf_header.h"

namespace tars::llm {

std::vector<std::filesystem::path> split_files(const gguf_context* file,
                                               const std::filesystem::path& path) {
  const int count = gguf_uint16(file, "split.count").value_or(0);
  if (count <= 1) return {path};
  const std::string first = path.string();
  std::string prefix(first.size() + 1, '\0');
  const auto length = llama_split_prefix(prefix.data(), prefix.size(), first.c_str(), 0, count);
  if (gguf_uint16(file, "split.no").value_or(0) != 0 || length <= 0) return {};
  prefix.resize(static_cast<std::size_t>(length));
  std::vector<std::filesystem::path> files;
  for (int part = 0; part < count; ++part) {
    std::string name(first.size() + 1, '\0');
    const auto end = llama_split_path(name.data(), name.size(), prefix.c_str(), part, count);
    if (end <= 0) return {};
    name.resize(static_cast<std::size_t>(end));
    files.emplace_back(name);
  }
  return files;
}

}  // namespace tars::llm
