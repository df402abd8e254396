// The real weights, for tests of what stands directly on llama.cpp.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "../../../support/weights.h"
#include "llm/llama/loaded_model.h"

namespace tars::llm {

// Two slots of 512 tokens on one thread. Loaded once for each suite: it takes part of a second.
class LoadedModelTest : public ::testing::Test {
 protected:
  static constexpr int kContext = 512;

  static void SetUpTestSuite() {
    LlamaOptions options;
    options.model_path = test_model();
    if (options.model_path.empty()) return;
    options.slots = 2;
    auto loaded = LoadedModel::load(options, kContext, 1, [] { return true; });
    ASSERT_TRUE(loaded) << loaded.error().message;
    model_.emplace(std::move(*loaded));
  }
  static void TearDownTestSuite() { model_.reset(); }

  void SetUp() override {
    ASSERT_TRUE(model_) << "the model was not loaded; see the failure above";
    model_->keep_prefix(0, 0);
    model_->keep_prefix(1, 0);
  }

  static inline std::optional<LoadedModel> model_;
};

}  // namespace tars::llm
