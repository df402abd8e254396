// A stand-in for a model: the test says, step by step, what it generates. Not a model, and no
// timing.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llm/backend.h"

namespace tars::chat::testing {

// One generation in the stand-in's hands. The calling test thread plays the model's thread.
struct ScriptedGeneration {
  llm::Request request;
  std::shared_ptr<llm::Sink> sink;
  std::stop_token stop;
  bool done = false;

  void say(std::string_view token) {
    sink->on_token(token);
    sink->on_step_end();
  }
};

// Thread-safe. With `answers_stop`, a stop ends the generation at once, in the stopping thread.
class ScriptedBackend final : public llm::Backend {
 public:
  explicit ScriptedBackend(int slots = 8) { status_.slots = slots; }

  llm::Status status() const override {
    std::lock_guard lock(mutex_);
    llm::Status status = status_;
    status.health = llm::Health::healthy;
    status.model = "scripted";
    status.context_length = 4096;
    return status;
  }

  int context_length(const std::string&) const override { return lane_context; }
  bool pauses(const std::string&) const override { return pauses_answers; }
  bool is_loading(const std::string&) const override { return loading; }
  std::string resolve(const std::string& model) const override {
    if (resolve_throws_once.exchange(false)) throw std::bad_alloc();
    return llm::Backend::resolve(model);
  }
  Result<void> generate(llm::Request request, std::shared_ptr<llm::Sink> sink,
                        std::stop_token stop) override {
    auto generation = std::make_shared<ScriptedGeneration>();
    std::unique_lock lock(mutex_);
    if (throws_once.exchange(false)) throw std::bad_alloc();
    if (refusal_) return *refusal_;
    generation->request = std::move(request);
    generation->sink = std::move(sink);
    generation->stop = stop;
    generations_.push_back(generation);
    lock.unlock();
    generation->sink->on_start(3, 0);
    if (answers_stop) {
      auto on_stop = [this, weak = std::weak_ptr(generation)] {
        if (auto stopped = weak.lock()) finish(*stopped, llm::FinishReason::cancelled);
      };
      auto callback = std::make_shared<std::stop_callback<std::function<void()>>>(stop, on_stop);
      lock.lock();
      callbacks_.push_back(std::move(callback));
      lock.unlock();
    }
    changed_.notify_all();
    return {};
  }

  void shutdown() override {}

  // Waits for the n-th (from 0) generation that was begun.
  std::shared_ptr<ScriptedGeneration> generation(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return generations_.size() > n; });
    return generations_[n];
  }
  std::size_t begun() const {
    std::lock_guard lock(mutex_);
    return generations_.size();
  }

  void finish(ScriptedGeneration& generation, llm::FinishReason reason,
              std::string_view rest = {}) {
    {
      std::lock_guard lock(mutex_);
      if (std::exchange(generation.done, true)) return;
    }
    generation.sink->on_done(rest, llm::Completion{.reason = reason, .prompt_tokens = 3});
  }
  void fail(ScriptedGeneration& generation, Error error) {
    {
      std::lock_guard lock(mutex_);
      if (std::exchange(generation.done, true)) return;
    }
    generation.sink->on_done({}, std::move(error));
  }
  void refuse(std::optional<Error> with) {
    std::lock_guard lock(mutex_);
    refusal_ = std::move(with);
  }

  std::atomic<bool> throws_once = false;  // from generate()
  mutable std::atomic<bool> resolve_throws_once = false;
  // Set before use.
  bool answers_stop = true;
  bool pauses_answers = false;
  std::atomic<bool> loading = false;
  int lane_context = 4096;  // of every lane

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  llm::Status status_;
  std::optional<Error> refusal_;
  std::vector<std::shared_ptr<ScriptedGeneration>> generations_;
  std::vector<std::shared_ptr<std::stop_callback<std::function<void()>>>> callbacks_;
};

}  // namespace tars::chat::testing
