#include "llm/llama/layer_sizes.h"

#include <ggml.h>
#include <gguf.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "../../../support/temp_folder.h"

namespace tars::llm {
namespace {

constexpr std::uint64_t kGibibyte = 1ULL << 30;

// A model of two layers, 4 heads of 16 values; a tensor of n values has 4 n bytes.
class LayerSizesTest : public ::testing::Test {
 protected:
  LayerSizesTest() {
    gguf_set_val_str(file_.get(), "general.architecture", "llama");
    gguf_set_val_u32(file_.get(), "llama.block_count", 2);
    gguf_set_val_u32(file_.get(), "llama.embedding_length", 64);
    gguf_set_val_u32(file_.get(), "llama.attention.head_count", 4);
    add("token_embd.weight", 1000);
    add("blk.0.attn_q.weight", 10);
    add("blk.1.attn_q.weight", 20);
    add("blk.1.ffn_up.weight", 30);
    add("output_norm.weight", 5);
  }

  void add(const char* name, std::int64_t values) {
    ggml_tensor* const tensor = ggml_new_tensor_1d(memory_.get(), GGML_TYPE_F32, values);
    ggml_set_name(tensor, name);
    gguf_add_tensor(file_.get(), tensor);
  }

  std::vector<std::uint64_t> sizes(std::uint64_t context) {
    const auto path = folder_.path() / "model.gguf";
    EXPECT_TRUE(gguf_write_to_file(file_.get(), path.c_str(), false));
    return read_layer_sizes(path, context).bytes;
  }

  std::unique_ptr<gguf_context, decltype(&gguf_free)> file_{gguf_init_empty(), &gguf_free};
  std::unique_ptr<ggml_context, decltype(&ggml_free)> memory_{
      ggml_init({.mem_size = 1 << 20, .mem_buffer = nullptr, .no_alloc = false}), &ggml_free};
  TempFolder folder_;
};

using Bytes = std::vector<std::uint64_t>;

TEST_F(LayerSizesTest, AnOutputWithoutATableHasThatOfTheEmbeddings) {
  EXPECT_EQ(sizes(0), (Bytes{40, 200, 20 + 4000}));
}

TEST_F(LayerSizesTest, AnOutputTableCountsAndTheEmbeddingsDoNot) {
  add("output.weight", 100);
  EXPECT_EQ(sizes(0), (Bytes{40, 200, 20 + 400}));
}

TEST_F(LayerSizesTest, AttentionKeepsItsHeadsForEveryToken) {
  const std::uint64_t kept = 4 * (16 + 16) * 2;
  EXPECT_EQ(sizes(10), (Bytes{40 + 10 * kept, 200 + 10 * kept, 4020}));
}

TEST_F(LayerSizesTest, HeadsMayDifferFromLayerToLayer) {
  const std::array<std::int32_t, 2> kept_heads{2, 0};
  gguf_set_arr_data(file_.get(), "llama.attention.head_count_kv", GGUF_TYPE_INT32,
                    kept_heads.data(), kept_heads.size());
  gguf_set_val_u32(file_.get(), "llama.attention.key_length", 8);
  gguf_set_val_u32(file_.get(), "llama.attention.value_length", 24);
  EXPECT_EQ(sizes(10), (Bytes{40 + 10 * 2 * (8 + 24) * 2, 200, 4020}));
}

TEST_F(LayerSizesTest, ASplitModelHasTheLayersOfAllItsFiles) {
  const auto first = folder_.path() / "model-00001-of-00002.gguf";
  const auto second = folder_.path() / "model-00002-of-00002.gguf";
  const std::unique_ptr<gguf_context, decltype(&gguf_free)> head{gguf_init_empty(), &gguf_free};
  gguf_set_kv(head.get(), file_.get());
  gguf_set_val_u16(head.get(), "split.no", 0);
  gguf_set_val_u16(head.get(), "split.count", 2);
  ASSERT_TRUE(gguf_write_to_file(head.get(), first.c_str(), false));
  EXPECT_EQ(read_layer_sizes(first, 0).count(), 0) << "a part is missing";
  ASSERT_TRUE(gguf_write_to_file(file_.get(), second.c_str(), false));
  EXPECT_EQ(read_layer_sizes(first, 0).bytes, (Bytes{40, 200, 20 + 4000}));
}

TEST_F(LayerSizesTest, AFileThatIsNoModelHasNoLayers) {
  EXPECT_EQ(read_layer_sizes("/nonexistent/model.gguf", 1).count(), 0);
  gguf_remove_key(file_.get(), "llama.block_count");
  EXPECT_TRUE(sizes(1).empty());
  const auto nonsense = folder_.path() / "nonsense.gguf";
  std::ofstream(nonsense) << "GGUF" << std::string(400, '\x7F');
  EXPECT_EQ(read_layer_sizes(nonsense, 1).count(), 0);
}

TEST(LayersThatFit, CountsFromTheOutputDown) {
  const LayerSizes sizes{{kGibibyte, 3 * kGibibyte, 2 * kGibibyte}};
  EXPECT_EQ(layers_that_fit(sizes, {}), 0);
  EXPECT_EQ(layers_that_fit(sizes, {2 * kGibibyte}), 0);  // a part is left free
  EXPECT_EQ(layers_that_fit(sizes, {3 * kGibibyte}), 1);
  EXPECT_EQ(layers_that_fit(sizes, {6 * kGibibyte}), 2);
  EXPECT_EQ(layers_that_fit(sizes, {80 * kGibibyte}), 3);
}

TEST(LayersThatFit, AddsUpDevices) {
  const LayerSizes sizes{{kGibibyte, 3 * kGibibyte, 2 * kGibibyte}};
  EXPECT_EQ(layers_that_fit(sizes, {3 * kGibibyte, 3 * kGibibyte}), 1);
  EXPECT_EQ(layers_that_fit(sizes, {4 * kGibibyte, 4 * kGibibyte}), 3);
  EXPECT_EQ(layers_that_fit(sizes, {4 * kGibibyte, 1}), 1);
}

}  // namespace
}  // namespace tars::llm
