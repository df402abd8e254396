// Small GGUF files.
#pragma once

#include <ggml.h>
#include <gguf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "../../../support/temp_folder.h"
#include "config/settings.h"

namespace tars::app {

class ModelFixture : public testing::Test {
 protected:
  ModelFixture() {
    settings_.data_dir = folder_.path() / "data";
    settings_.model_candidates = {settings_.data_dir / "models" / "chat.gguf"};
    settings_.embedded = true;
  }
  static void write_model(const std::filesystem::path& path, const char* architecture = "llama") {
    std::filesystem::create_directories(path.parent_path());
    gguf_context* file = gguf_init_empty();
    gguf_set_val_str(file, "general.architecture", architecture);
    gguf_write_to_file(file, path.c_str(), true);
    gguf_free(file);
  }
  // One that could answer: with weights and a chat template.
  static void write_chat_model(const std::filesystem::path& path) {
    std::filesystem::create_directories(path.parent_path());
    ggml_context* tensors =
        ggml_init({.mem_size = 16384, .mem_buffer = nullptr, .no_alloc = false});
    ggml_tensor* weights = ggml_new_tensor_1d(tensors, GGML_TYPE_F32, 32);
    ggml_set_name(weights, "token_embd.weight");
    ggml_set_zero(weights);
    gguf_context* file = gguf_init_empty();
    gguf_set_val_str(file, "general.architecture", "llama");
    gguf_set_val_str(file, "tokenizer.chat_template", "{{ messages }}");
    gguf_add_tensor(file, weights);
    gguf_write_to_file(file, path.c_str(), false);
    gguf_free(file);
    ggml_free(tensors);
  }
  static void write_text(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  const TempFolder folder_;
  config::Settings settings_;
};

}  // namespace tars::app
