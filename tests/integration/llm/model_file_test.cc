// Files that are no chat model are refused at once, by name and with the fix.
#include <ggml.h>
#include <gguf.h>
#include <unistd.h>

#include <fstream>

#include "model_fixture.h"

namespace tars::llm {
namespace {

class ModelFileTest : public ModelTest {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("tars_model_file_test." + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string refusal(const std::filesystem::path& path) {
    LlamaOptions options;
    options.model_path = path;
    const auto backend = open_llama_backend(options, clock_, metrics_);
    EXPECT_FALSE(backend);
    if (backend) return {};
    EXPECT_EQ(backend.error().code, ErrorCode::config_error);
    EXPECT_NE(backend.error().message.find("MODEL_PATH"), std::string::npos);
    EXPECT_EQ(backend.error().message.find('\n'), std::string::npos);
    return backend.error().message;
  }

  // The real file's header with one change.
  template <class Change>
  std::filesystem::path changed(Change change) {
    const auto source = test_model();
    gguf_context* file = gguf_init_from_file(source.c_str(), {.no_alloc = true, .ctx = nullptr});
    EXPECT_NE(file, nullptr);
    change(file);
    const auto path = folder_ / "changed.gguf";
    // One small tensor stands in for the weights, which are never reached.
    ggml_context* memory =
        ggml_init({.mem_size = 1 << 16, .mem_buffer = nullptr, .no_alloc = false});
    ggml_tensor* weight = ggml_new_tensor_1d(memory, GGML_TYPE_F32, 8);
    ggml_set_name(weight, "weight");
    gguf_context* bare = gguf_init_empty();
    gguf_set_kv(bare, file);
    gguf_add_tensor(bare, weight);
    EXPECT_TRUE(gguf_write_to_file(bare, path.c_str(), false));
    ggml_free(memory);
    gguf_free(bare);
    gguf_free(file);
    return path;
  }

  std::filesystem::path folder_;
};

TEST_F(ModelFileTest, Missing) {
  EXPECT_NE(refusal(folder_ / "none.gguf").find("No such file"), std::string::npos);
}

TEST_F(ModelFileTest, NotSet) { EXPECT_NE(refusal({}).find("not set"), std::string::npos); }

TEST_F(ModelFileTest, Foreign) {
  std::ofstream(folder_ / "text.gguf") << "this is some text and no model at all";
  EXPECT_NE(refusal(folder_ / "text.gguf").find("no GGUF"), std::string::npos);
  std::ofstream(folder_ / "empty.gguf").close();
  EXPECT_NE(refusal(folder_ / "empty.gguf").find("no GGUF"), std::string::npos);
  EXPECT_NE(refusal(folder_).find("directory"), std::string::npos);
}

TEST_F(ModelFileTest, TruncatedInItsWeightsOrItsHeader) {
  const auto source = test_model();
  ASSERT_FALSE(source.empty());
  const auto copy = folder_ / "short.gguf";
  std::filesystem::copy_file(source, copy);
  std::filesystem::resize_file(copy, std::filesystem::file_size(source) - 4096);
  EXPECT_NE(refusal(copy).find("truncated"), std::string::npos);
  std::filesystem::resize_file(copy, 100000);
  EXPECT_NE(refusal(copy).find("truncated"), std::string::npos);
}

TEST_F(ModelFileTest, WithoutATemplate) {
  ASSERT_FALSE(test_model().empty());
  const auto path =
      changed([](gguf_context* file) { gguf_remove_key(file, "tokenizer.chat_template"); });
  EXPECT_NE(refusal(path).find("chat template"), std::string::npos);
}

TEST_F(ModelFileTest, WithATemplateThatCannotBeUsed) {
  ASSERT_FALSE(test_model().empty());
  for (const char* broken : {"{% for m in messages %}{{ m.content ", "no messages in here",
                             "{{ raise_exception('only tools') }}", "{{ messages[0].content }}"}) {
    const auto path = changed(
        [&](gguf_context* file) { gguf_set_val_str(file, "tokenizer.chat_template", broken); });
    EXPECT_NE(refusal(path).find("chat template"), std::string::npos) << broken;
  }
}

TEST_F(ModelFileTest, AnEmbeddingModel) {
  ASSERT_FALSE(test_model().empty());
  const auto path =
      changed([](gguf_context* file) { gguf_set_val_str(file, "general.architecture", "bert"); });
  EXPECT_NE(refusal(path).find("embedding model"), std::string::npos);
}

TEST_F(ModelFileTest, AContextThatTheModelDoesNotAllow) {
  LlamaOptions options;
  options.model_path = test_model();
  options.context_length = 1 << 20;
  const auto backend = open_llama_backend(options, clock_, metrics_);
  ASSERT_FALSE(backend);
  EXPECT_NE(backend.error().message.find("MODEL_CONTEXT_LENGTH"), std::string::npos);
}

}  // namespace
}  // namespace tars::llm
