// What can be said about a model file without loading its weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/error.h"

namespace tars::llm {

struct ModelFile {
  std::string architecture;
  std::string chat_template;
  std::string bos_token;  // text; empty when the file names none
  std::string eos_token;
  int trained_context = 0;  // tokens
};

// Reads the header of a GGUF file, and of the others where it is the first of several. config_error
// naming MODEL_PATH and the fix when a file is missing, foreign, shorter than its own table says,
// no chat model, or has no chat template. Takes milliseconds.
Result<ModelFile> check_model_file(const std::filesystem::path& path);

enum class ModelUse { chat, embedding, none };  // none: no chat template, or no weights

struct ModelSummary {
  std::string architecture;
  std::string format;  // the type of most of its weights, such as Q8_0
  ModelUse use = ModelUse::none;
  std::uintmax_t bytes = 0;  // of all its files that are there
};

// Of any GGUF, for lists. config_error that begins with the path when the file is missing, foreign
// or shorter than its own table says.
Result<ModelSummary> summarize_model_file(const std::filesystem::path& path);

}  // namespace tars::llm
