// The engine on the real model: a client's first answer does not wait for another's many.
#include <gtest/gtest.h>

#include "../../support/temp_folder.h"
#include "../../support/weights.h"
#include "chat_fixture.h"
#include "llm/llama/llama_backend.h"
#include "telemetry/metrics.h"

namespace tars::chat {
namespace {

class PauseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    llm::LlamaOptions options;
    options.model_path = test_model();
    ASSERT_FALSE(options.model_path.empty());
    options.context_length = 1024;
    auto backend = llm::open_llama_backend(options, clock_, metrics_);
    ASSERT_TRUE(backend) << backend.error().message;
    backend_ = *std::move(backend);
    auto engine = Engine::open(folder_.path() / "chat.db", {}, *backend_, clock_, metrics_);
    ASSERT_TRUE(engine) << engine.error().message;
    engine_ = *std::move(engine);
  }

  void TearDown() override {
    if (engine_) (void)engine_->shutdown();
    if (backend_) backend_->shutdown();
  }

  std::unique_ptr<Follower> chat(std::string client, std::string content, int max_tokens) {
    ChatRequest request = testing::chat_request(std::move(client), std::move(content));
    request.sampling.temperature = 0;
    request.sampling.max_tokens = max_tokens;
    auto given = std::make_shared<testing::Promise<std::unique_ptr<Follower>>>();
    engine_->submit(std::move(request), waker_.callback(),
                    [given](Result<std::unique_ptr<Follower>> result) {
                      given->set(result ? *std::move(result) : nullptr);
                    });
    return given->take();
  }

  const TempFolder folder_;
  SystemClock clock_;
  telemetry::Metrics metrics_;
  testing::Waker waker_;
  std::unique_ptr<llm::Backend> backend_;
  std::unique_ptr<Engine> engine_;  // ends before what it uses
};

TEST_F(PauseTest, AThirdClientBeginsWhileTwoHaveFourLongAnswersEach) {
  std::vector<std::unique_ptr<Follower>> long_answers;
  for (int i = 0; i < 8; ++i) {
    long_answers.push_back(
        chat(i < 4 ? "anna" : "bert", "Tell me a very long story about a lighthouse keeper.", 800));
    ASSERT_TRUE(long_answers.back());
  }
  for (const auto& each : long_answers) {
    waker_.wait_until([&] { return each->run().tokens() > 0; });
  }
  const auto third = chat("cleo", "What is the capital of France?", 8);
  ASSERT_TRUE(third);
  waker_.wait_until([&] { return third->run().tokens() > 0; });
  for (const auto& each : long_answers) EXPECT_EQ(each->run().status(), RunStatus::running);
  EXPECT_EQ(metrics_.pauses.Value(), 1);
  EXPECT_EQ(engine_->counts().running, 9U);

  // Bert's latest is the one that waits for a place: a cancel ends it before the others.
  CancelTarget target;
  target.run_id = long_answers.back()->run().info().id;
  engine_->cancel("bert", target, [](Result<void>) {});
  waker_.wait_until([&] { return long_answers.back()->run().has_ended(); });
  EXPECT_EQ(long_answers.back()->run().outcome()->finish_reason, "cancelled");
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(long_answers[static_cast<std::size_t>(i)]->run().status(), RunStatus::running);
  }
}

}  // namespace
}  // namespace tars::chat
