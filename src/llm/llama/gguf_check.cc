#include "llm/llama/gguf_check.h"

#include <gguf.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <map>
#include <system_error>

#include "llm/llama/gguf_header.h"
#include "llm/llama/split_files.h"

namespace tars::llm {
namespace {

Error refused(const std::filesystem::path& path, const std::string& why) {
  return make_error(ErrorCode::config_error, path.string() + ": " + why);
}

std::string token_text(const gguf_context* file, const std::string& id_key) {
  const auto id = gguf_uint32(file, id_key);
  const auto tokens = gguf_find_key(file, "tokenizer.ggml.tokens");
  if (!id || tokens < 0 || gguf_get_kv_type(file, tokens) != GGUF_TYPE_ARRAY ||
      gguf_get_arr_type(file, tokens) != GGUF_TYPE_STRING || *id >= gguf_get_arr_n(file, tokens)) {
    return {};
  }
  return gguf_get_arr_str(file, tokens, *id);
}

// Encoders make vectors, not text, and so does what pools the vectors of its tokens: embedding and
// reranking models that are decoders, with a chat template besides.
bool only_embeds(const gguf_context* file, const std::string& architecture) {
  constexpr std::array kEncoders{"bert",         "nomic-bert",     "nomic-bert-moe", "neo-bert",
                                 "jina-bert-v2", "jina-bert-v3",   "modern-bert",    "eurobert",
                                 "t5encoder",    "gemma-embedding"};
  for (const char* encoder : kEncoders) {
    if (architecture == encoder) return true;
  }
  if (gguf_uint32(file, architecture + ".pooling_type").value_or(0) != 0) return true;
  const auto causal = gguf_find_key(file, (architecture + ".attention.causal").c_str());
  return causal >= 0 && gguf_get_kv_type(file, causal) == GGUF_TYPE_BOOL &&
         !gguf_get_val_bool(file, causal);
}

// Bytes that the file must have for its last tensor to be whole.
std::uintmax_t needed_bytes(const gguf_context* file) {
  std::uintmax_t end = gguf_get_data_offset(file);
  for (std::int64_t i = 0; i < gguf_get_n_tensors(file); ++i) {
    const std::uintmax_t tensor_end = gguf_get_data_offset(file) + gguf_get_tensor_offset(file, i) +
                                      gguf_get_tensor_size(file, i);
    end = std::max(end, tensor_end);
  }
  return end;
}

// The header of a file that is known to be a whole GGUF, and the file's length.
Result<GgufPtr> open_whole(const std::filesystem::path& path, std::uintmax_t& size) {
  std::error_code error;
  size = std::filesystem::file_size(path, error);
  if (error)
    return refused(path, error.message() + "; give the path of a GGUF file that can be read");
  std::array<char, 4> magic{};
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return refused(path, "cannot be opened; check its permissions");
  stream.read(magic.data(), magic.size());
  if (std::string_view(magic.data(), magic.size()) != "GGUF") {
    return refused(path, "is no GGUF file; convert the model to GGUF or give another file");
  }
  GgufPtr file = open_gguf(path);
  if (!file) {
    return refused(path,
                   "is damaged or truncated (its header cannot be read); fetch the file again");
  }
  const std::uintmax_t needed = needed_bytes(file.get());
  if (size < needed) {
    return refused(path, "is truncated: it has " + std::to_string(size) + " bytes and needs " +
                             std::to_string(needed) + "; fetch the file again");
  }
  return file;
}

using BytesByType = std::map<ggml_type, std::size_t>;

void add_weights(const gguf_context* file, BytesByType& bytes) {
  for (std::int64_t i = 0; i < gguf_get_n_tensors(file); ++i) {
    bytes[gguf_get_tensor_type(file, i)] += gguf_get_tensor_size(file, i);
  }
}

// The type that most bytes of the weights have, which model files are named after: Q8_0.
std::string main_type(const BytesByType& bytes) {
  const auto most = std::ranges::max_element(bytes, {}, [](const auto& of) { return of.second; });
  std::string name = most == bytes.end() ? "" : ggml_type_name(most->first);
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

// The parts behind the first are there and whole, and there are weights: the first may have none.
Result<void> check_weights(const std::filesystem::path& path, const gguf_context* file) {
  const auto files = split_files(file, path);
  if (files.empty()) {
    return refused(path,
                   "is a part of a split model; give its first, which is named as it was "
                   "split: NAME-00001-of-00003.gguf");
  }
  std::int64_t tensors = gguf_get_n_tensors(file);
  for (std::size_t i = 1; i < files.size(); ++i) {
    std::uintmax_t size = 0;
    const Result<GgufPtr> part = open_whole(files[i], size);
    if (!part) return part.error();
    tensors += gguf_get_n_tensors(part->get());
  }
  if (tensors == 0) return refused(path, "holds no weights; give a whole model");
  return {};
}

Result<ModelFile> read_model_file(const std::filesystem::path& path) {
  std::uintmax_t size = 0;
  const Result<GgufPtr> opened = open_whole(path, size);
  if (!opened) return opened.error();
  const GgufPtr& file = *opened;
  if (auto whole = check_weights(path, file.get()); !whole) return whole.error();
  ModelFile model;
  model.architecture = gguf_string(file.get(), "general.architecture").value_or("");
  if (model.architecture.empty())
    return refused(path, "names no architecture; give a language model");
  if (only_embeds(file.get(), model.architecture)) {
    return refused(path, "is an embedding model (" + model.architecture +
                             ") and cannot chat; give a chat model");
  }
  model.chat_template = gguf_string(file.get(), "tokenizer.chat_template").value_or("");
  if (model.chat_template.empty()) {
    return refused(path, "has no chat template; give an instruct or chat version of the model");
  }
  model.trained_context = static_cast<int>(
      gguf_uint32(file.get(), model.architecture + ".context_length").value_or(4096));
  model.bos_token = token_text(file.get(), "tokenizer.ggml.bos_token_id");
  model.eos_token = token_text(file.get(), "tokenizer.ggml.eos_token_id");
  return model;
}

}  // namespace

Result<ModelFile> check_model_file(const std::filesystem::path& path) {
  if (path.empty()) {
    return make_error(ErrorCode::config_error,
                      "MODEL_PATH is not set; give the path of a GGUF file");
  }
  Result<ModelFile> model = read_model_file(path);
  if (model) return model;
  return make_error(ErrorCode::config_error, "MODEL_PATH " + model.error().message);
}

Result<ModelSummary> summarize_model_file(const std::filesystem::path& path) {
  ModelSummary out;
  const Result<GgufPtr> file = open_whole(path, out.bytes);
  if (!file) return file.error();
  out.architecture = gguf_string(file->get(), "general.architecture").value_or("");
  BytesByType weights;
  add_weights(file->get(), weights);
  // Of the other parts, those that are there.
  const auto files = split_files(file->get(), path);
  for (std::size_t i = 1; i < files.size(); ++i) {
    std::uintmax_t bytes = 0;
    const Result<GgufPtr> part = open_whole(files[i], bytes);
    if (!part) continue;
    add_weights(part->get(), weights);
    out.bytes += bytes;
  }
  out.format = main_type(weights);
  const bool has_template =
      !gguf_string(file->get(), "tokenizer.chat_template").value_or("").empty();
  if (only_embeds(file->get(), out.architecture)) {
    out.use = ModelUse::embedding;
  } else if (has_template && (!weights.empty() || files.size() != 1)) {
    out.use = ModelUse::chat;
  }
  return out;
}

}  // namespace tars::llm
