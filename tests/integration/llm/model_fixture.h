// The real weights, and a sink that remembers.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "../../support/weights.h"
#include "base/clock.h"
#include "llm/llama/llama_backend.h"
#include "telemetry/metrics.h"

namespace tars::llm {

// Remembers what it was told; waits for it. Any thread.
class RecordingSink final : public Sink {
 public:
  void on_start(int prompt_tokens, int cached_tokens) override;
  void on_token(std::string_view text) override;
  void on_step_end() override {}
  void on_done(std::string_view rest, Result<Completion> result) override;

  // False when it did not happen within a minute.
  [[nodiscard]] bool wait_tokens(int n);
  [[nodiscard]] bool wait_start();
  // The end; fails the test when it did not come.
  Result<Completion> wait();
  std::string text() const;
  int tokens() const;
  int ends() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  int tokens_ = 0;
  int ends_ = 0;
  bool started_ = false;
  std::optional<Result<Completion>> result_;
};

// A backend on the real weights; `context` tokens for each of `slots`.
class ModelTest : public ::testing::Test {
 protected:
  void open(int slots = 8, int context = 0);
  std::shared_ptr<RecordingSink> ask(Request request, std::stop_token stop = {});

  SystemClock clock_;
  telemetry::Metrics metrics_;
  std::unique_ptr<Backend> backend_;
};

// Greedy, with at most `max_tokens`.
Request request(std::string content, int max_tokens = 16);
// About `tokens` tokens of text.
std::string long_text(int tokens);

}  // namespace tars::llm
