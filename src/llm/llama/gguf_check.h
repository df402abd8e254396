// What can be said about a model file without loading its weights.
#pragma once

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

// Reads a GGUF file's header. config_error naming MODEL_PATH and the fix when the file is missing,
// foreign, shorter than its own table says, no chat model, or has no chat template. Takes
// milliseconds.
Result<ModelFile> check_model_file(const std::filesystem::path& path);

}  // namespace tars::llm
