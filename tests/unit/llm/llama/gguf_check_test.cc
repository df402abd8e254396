#include "llm/llama/gguf_check.h"

#include <gguf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

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
  gguf_set_val_u32(file, "bert.context_length", 512);
  ASSERT_TRUE(gguf_write_to_file(file, path.c_str(), true));
  gguf_free(file);
  const ModelSummary summary = summarize_model_file(path).value();
  std::filesystem::remove(path);
  EXPECT_EQ(summary.architecture, "bert");
  EXPECT_EQ(summary.use, ModelUse::embedding);
  EXPECT_EQ(summary.trained_context, 512);
  EXPECT_GT(summary.bytes, 0U);
  EXPECT_EQ(summary.format, "");
}

TEST(GgufCheck, ASummaryOfNoModelIsAnErrorThatNamesTheFile) {
  const auto summary = summarize_model_file("/nonexistent/model.gguf");
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().message.find("/nonexistent/model.gguf: "), 0U);
}

}  // namespace
}  // namespace tars::llm
