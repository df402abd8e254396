// Small GGUF files.
#pragma once

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
  static void write_text(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  const TempFolder folder_;
  config::Settings settings_;
};

}  // namespace tars::app
