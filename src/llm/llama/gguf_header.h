// The header of a GGUF file: its keys and its table of tensors, without the weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

struct gguf_context;

namespace tars::llm {

struct FreeGguf {
  void operator()(gguf_context* file) const;
};
using GgufPtr = std::unique_ptr<gguf_context, FreeGguf>;

// Null when there is no such file, or its header cannot be read. Takes milliseconds. Thread-safe.
GgufPtr open_gguf(const std::filesystem::path& path);

// None when `file` has no such key, or it is of another type.
std::optional<std::string> gguf_string(const gguf_context* file, const std::string& key);
std::optional<std::uint16_t> gguf_uint16(const gguf_context* file, const std::string& key);
std::optional<std::uint32_t> gguf_uint32(const gguf_context* file, const std::string& key);

}  // namespace tars::llm
