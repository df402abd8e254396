#include "llm/llama/gguf_check.h"

#include <ggml.h>
#include <gguf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <memory>

#include "../../../support/temp_folder.h"

namespace tars::llm {
namespace {

TEST(GgufCheck, NamesTheOption) {
  const auto model = check_model_file("/nonexistent/model.gguf");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::config_error);
  EXPECT_NE(model.error().message.find("MODEL_PATH /nonexistent/model.gguf"), std::string::npos);
}

TEST(GgufCheck, RefusesAFileWithoutWeights) {
  const auto path =
      std::filesystem::temp_directory_path() / ("tars_gguf_check." + std::to_string(::getpid()));
  gguf_context* file = gguf_init_empty();
  gguf_set_val_str(file, "general.architecture", "llama");
  gguf_set_val_str(file, "tokenizer.chat_template", "{{ messages }}");
  ASSERT_TRUE(gguf_write_to_file(file, path.c_str(), true));
  gguf_free(file);
  const auto model = check_model_file(path);
  std::filesystem::remove(path);
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().message.find("no weights"), std::string::npos) << model.error().message;
}

// As `gguf-split --no-tensor-first-split` makes it.
TEST(GgufCheck, ASplitModelsFirstFileMayHaveNoWeights) {
  using GgufPtr = std::unique_ptr<gguf_context, decltype(&gguf_free)>;
  const TempFolder folder;
  const auto first = folder.path() / "m-00001-of-00002.gguf";
  const auto second = folder.path() / "m-00002-of-00002.gguf";
  const auto part = [](int no) {
    GgufPtr file{gguf_init_empty(), &gguf_free};
    gguf_set_val_u16(file.get(), "split.no", static_cast<std::uint16_t>(no));
    gguf_set_val_u16(file.get(), "split.count", 2);
    return file;
  };
  const GgufPtr head = part(0);
  gguf_set_val_str(head.get(), "general.architecture", "llama");
  gguf_set_val_str(head.get(), "tokenizer.chat_template", "{{ messages }}");
  ASSERT_TRUE(gguf_write_to_file(head.get(), first.c_str(), true));
  const auto missing = check_model_file(first);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("m-00002-of-00002.gguf: No such file"), std::string::npos)
      << missing.error().message;

  const GgufPtr weights = part(1);
  const std::unique_ptr<ggml_context, decltype(&ggml_free)> memory{
      ggml_init({.mem_size = 1 << 16, .mem_buffer = nullptr, .no_alloc = false}), &ggml_free};
  gguf_add_tensor(weights.get(), ggml_new_tensor_1d(memory.get(), GGML_TYPE_F16, 8));
  ASSERT_TRUE(gguf_write_to_file(weights.get(), second.c_str(), false));
  EXPECT_TRUE(check_model_file(first));
  const ModelSummary summary = summarize_model_file(first).value();
  EXPECT_EQ(summary.use, ModelUse::chat);
  EXPECT_EQ(summary.format, "F16");
  EXPECT_EQ(summary.bytes, std::filesystem::file_size(first) + std::filesystem::file_size(second));
}

TEST(GgufCheck, SurvivesAHeaderOfNonsense) {
  const auto path =
      std::filesystem::temp_directory_path() / ("tars_gguf_nonsense." + std::to_string(::getpid()));
  std::ofstream(path) << "GGUF" << std::string(400, '\x7F');
  const auto model = check_model_file(path);
  std::filesystem::remove(path);
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().message.find("damaged"), std::string::npos);
}

TEST(GgufCheck, SummarizesWhatItCannotServeToo) {
  const auto path =
      std::filesystem::temp_directory_path() / ("tars_gguf_summary." + std::to_string(::getpid()));
  gguf_context* file = gguf_init_empty();
  gguf_set_val_str(file, "general.architecture", "bert");
  ASSERT_TRUE(gguf_write_to_file(file, path.c_str(), true));
  gguf_free(file);
  const ModelSummary summary = summarize_model_file(path).value();
  std::filesystem::remove(path);
  EXPECT_EQ(summary.architecture, "bert");
  EXPECT_EQ(summary.use, ModelUse::embedding);
  EXPECT_GT(summary.bytes, 0U);
  EXPECT_EQ(summary.format, "");
}

// Qwen3-Embedding has a chat template, and is a decoder.
TEST(GgufCheck, ADecoderThatPoolsOnlyEmbeds) {
  const TempFolder folder;
  const auto path = folder.path() / "m.gguf";
  for (const std::uint32_t pooling : {0U, 1U, 3U, 4U}) {
    gguf_context* file = gguf_init_empty();
    gguf_set_val_str(file, "general.architecture", "qwen3");
    gguf_set_val_str(file, "tokenizer.chat_template", "{{ messages }}");
    gguf_set_val_u32(file, "qwen3.pooling_type", pooling);
    ggml_context* memory =
        ggml_init({.mem_size = 1 << 16, .mem_buffer = nullptr, .no_alloc = false});
    gguf_add_tensor(file, ggml_new_tensor_1d(memory, GGML_TYPE_F16, 8));
    ASSERT_TRUE(gguf_write_to_file(file, path.c_str(), false));
    ggml_free(memory);
    gguf_free(file);
    const auto model = check_model_file(path);
    EXPECT_EQ(model.has_value(), pooling == 0) << pooling;
    if (!model) {
      EXPECT_TRUE(model.error().message.ends_with("cannot chat; give a chat model"));
    }
    EXPECT_EQ(summarize_model_file(path).value().use,
              pooling == 0 ? ModelUse::chat : ModelUse::embedding)
        << pooling;
  }
}

TEST(GgufCheck, ASummaryOfNoModelIsAnErrorThatNamesTheFile) {
  const auto summary = summarize_model_file("/nonexistent/model.gguf");
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().message.find("/nonexistent/model.gguf: "), 0U);
}

}  // namespace
}  // namespace tars::llm
