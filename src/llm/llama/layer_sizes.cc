#include "llm/llama/layer_sizes.h"

#include <gguf.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "llm/llama/gguf_header.h"
#include "llm/llama/split_files.h"

namespace tars::llm {
namespace {

// Left on each device: activations and logits of a batch of 256 tokens, the libraries' work space
// and kernels. Measured on no model at more than half of it.
constexpr std::uint64_t kReserve = 768ULL << 20;
constexpr std::uint64_t kBytesPerValue = 2;  // of the attention's memory, half precision
constexpr std::uint64_t kMostLayers = 4096;

// The header's numbers below "<architecture>.".
class Header {
 public:
  explicit Header(const gguf_context* file) : file_(file) {
    if (const auto architecture = gguf_string(file, "general.architecture")) {
      prefix_ = *architecture + ".";
    }
  }

  // Some models give one number for all layers, others an array with one for each.
  std::optional<std::uint64_t> number(const std::string& key, std::size_t layer = 0) const {
    if (const auto for_all = gguf_uint32(file_, prefix_ + key)) return for_all;
    const auto id = gguf_find_key(file_, (prefix_ + key).c_str());
    if (id < 0 || gguf_get_kv_type(file_, id) != GGUF_TYPE_ARRAY ||
        layer >= gguf_get_arr_n(file_, id)) {
      return std::nullopt;
    }
    const auto of = gguf_get_arr_type(file_, id);
    if (of != GGUF_TYPE_INT32 && of != GGUF_TYPE_UINT32) return std::nullopt;
    return static_cast<const std::uint32_t*>(gguf_get_arr_data(file_, id))[layer];
  }

 private:
  const gguf_context* file_;
  std::string prefix_;
};

// Bytes for each token of the context.
std::uint64_t kept_bytes(const Header& header, std::size_t layer) {
  const std::uint64_t heads = header.number("attention.head_count", layer).value_or(0);
  const std::uint64_t kept_heads = header.number("attention.head_count_kv", layer).value_or(heads);
  const std::uint64_t width =
      heads == 0 ? 0 : header.number("embedding_length").value_or(0) / heads;
  const std::uint64_t key = header.number("attention.key_length").value_or(width);
  const std::uint64_t value = header.number("attention.value_length").value_or(width);
  return kept_heads * (key + value) * kBytesPerValue;
}

// "blk.12.attn_q.weight" → 12.
std::optional<std::size_t> layer_of(std::string_view tensor) {
  constexpr std::string_view kBlock = "blk.";
  if (!tensor.starts_with(kBlock)) return std::nullopt;
  tensor.remove_prefix(kBlock.size());
  std::size_t layer = 0;
  const auto [end, error] = std::from_chars(tensor.data(), tensor.data() + tensor.size(), layer);
  if (error != std::errc{} || end == tensor.data() + tensor.size() || *end != '.')
    return std::nullopt;
  return layer;
}

// What a model's files say of its weights; the last of `bytes` is the output layer.
struct Weights {
  std::vector<std::uint64_t> bytes;
  std::uint64_t embeddings = 0;
  bool has_output = false;

  void add(const gguf_context* file) {
    const std::size_t output = bytes.size() - 1;
    for (std::int64_t i = 0; i < gguf_get_n_tensors(file); ++i) {
      const std::string_view name = gguf_get_tensor_name(file, i);
      const std::uint64_t size = gguf_get_tensor_size(file, i);
      has_output = has_output || name == "output.weight";
      if (name == "token_embd.weight") {
        embeddings = size;
      } else {
        bytes[std::min(layer_of(name).value_or(output), output)] += size;
      }
    }
  }
};

}  // namespace

LayerSizes read_layer_sizes(const std::filesystem::path& path, std::uint64_t context) {
  const GgufPtr file = open_gguf(path);
  if (!file) return {};
  const Header header(file.get());
  const std::uint64_t layers = header.number("block_count").value_or(0);
  if (layers == 0 || layers > kMostLayers) return {};

  Weights weights;
  weights.bytes.resize(layers + 1);
  weights.add(file.get());
  const auto files = split_files(file.get(), path);
  for (std::size_t i = 1; i < files.size(); ++i) {
    const GgufPtr part = open_gguf(files[i]);
    if (!part) return {};
    weights.add(part.get());
  }
  LayerSizes out{.bytes = std::move(weights.bytes)};
  // Without an output table of its own a model uses that of the embeddings, and needs a second
  // copy.
  if (!weights.has_output) out.bytes.back() += weights.embeddings;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const std::uint64_t kept = kept_bytes(header, layer) * context;
    out.bytes[layer] += kept;
    out.context += kept;
  }
  return out;
}

int layers_that_fit(const LayerSizes& sizes, const std::vector<std::uint64_t>& free) {
  std::uint64_t left = 0;
  for (const std::uint64_t bytes : free) left += bytes > kReserve ? bytes - kReserve : 0;
  int fitting = 0;
  for (auto size = sizes.bytes.rbegin(); size != sizes.bytes.rend() && *size <= left; ++size) {
    left -= *size;
    ++fitting;
  }
  return fitting;
}

}  // namespace tars::llm
