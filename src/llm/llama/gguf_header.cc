#include "llm/llama/gguf_header.h"

#include <gguf.h>

#include "llm/llama/llama_log.h"

namespace tars::llm {

void FreeGguf::operator()(gguf_context* file) const { gguf_free(file); }

GgufPtr open_gguf(const std::filesystem::path& path) {
  route_llama_log();
  return GgufPtr(gguf_init_from_file(path.c_str(), {.no_alloc = true, .ctx = nullptr}));
}

std::optional<std::string> gguf_string(const gguf_context* file, const std::string& key) {
  const auto id = gguf_find_key(file, key.c_str());
  if (id < 0 || gguf_get_kv_type(file, id) != GGUF_TYPE_STRING) return std::nullopt;
  return std::string(gguf_get_val_str(file, id));
}

std::optional<std::uint16_t> gguf_uint16(const gguf_context* file, const std::string& key) {
  const auto id = gguf_find_key(file, key.c_str());
  if (id < 0 || gguf_get_kv_type(file, id) != GGUF_TYPE_UINT16) return std::nullopt;
  return gguf_get_val_u16(file, id);
}

std::optional<std::uint32_t> gguf_uint32(const gguf_context* file, const std::string& key) {
  const auto id = gguf_find_key(file, key.c_str());
  if (id < 0 || gguf_get_kv_type(file, id) != GGUF_TYPE_UINT32) return std::nullopt;
  return gguf_get_val_u32(file, id);
}

}  // namespace tars::llm
