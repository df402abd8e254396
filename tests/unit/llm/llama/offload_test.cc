#include "llm/llama/offload.h"

#include <gtest/gtest.h>

#include "test_model.h"

namespace tars::llm {
namespace {

constexpr int kContext = 256;

class PlanOffload : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.model_path = test_model();
    ASSERT_FALSE(options_.model_path.empty());
    options_.slots = 1;
  }
  Offload plan(int gpu_layers) {
    options_.gpu_layers = gpu_layers;
    return plan_offload(options_, kContext);
  }
  LlamaOptions options_;
};

TEST_F(PlanOffload, NoneIsNone) {
  const Offload offload = plan(0);
  EXPECT_EQ(offload.layers, 0);
  EXPECT_EQ(offload.of, 31);  // SmolLM2-135M: 30 layers and the output
  EXPECT_TRUE(offload.devices.empty());
  EXPECT_FALSE(offload.whole());
}

// On a machine with a GPU and a build for it the same calls offload.
TEST_F(PlanOffload, WithoutADeviceNothingIsOffloaded) {
  const bool gpu = !list_devices().empty();
  for (const auto& [asked, expected] : {std::pair(5, 5), std::pair(1000, 31), std::pair(-1, 31)}) {
    const Offload offload = plan(asked);
    EXPECT_EQ(offload.layers, gpu ? expected : 0) << asked;
    EXPECT_EQ(offload.devices.empty(), !gpu) << asked;
    EXPECT_EQ(offload.whole(), gpu && expected == 31) << asked;
  }
}

TEST_F(PlanOffload, AFileThatCannotBeReadIsLeftToTheLoader) {
  options_.model_path = "/nonexistent/weights.gguf";
  EXPECT_EQ(plan(-1).layers, 0);
  EXPECT_EQ(plan(7).layers, 0);
}

TEST(WithFewerLayers, EndsOnTheCpu) {
  Offload offload{{Device{}}, 5, 31};
  std::vector<int> tried;
  while (offload.layers > 0) {
    EXPECT_FALSE(offload.devices.empty());
    offload = with_fewer_layers(std::move(offload));
    tried.push_back(offload.layers);
  }
  EXPECT_EQ(tried, (std::vector{2, 1, 0}));
  EXPECT_TRUE(offload.devices.empty());
}

}  // namespace
}  // namespace tars::llm
