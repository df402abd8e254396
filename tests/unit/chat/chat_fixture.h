// What the tests of chat share: a clock to move, a folder that goes away, short ways to make runs.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "chat/engine.h"
#include "chat/live_run.h"
#include "chat/run.h"

namespace tars::chat::testing {

// The machine's clock, moved forward by the test.
class ShiftedClock final : public Clock {
 public:
  WallTime wall() const override {
    return system_.wall() + std::chrono::milliseconds(ahead_.load()) +
           std::chrono::duration_cast<std::chrono::microseconds>(shift());
  }
  SteadyTime steady() const override { return system_.steady() + shift(); }
  void advance(std::chrono::milliseconds by) { shift_ += by.count(); }
  // The wall clock alone, as when it is set.
  void set_ahead(std::chrono::milliseconds by) { ahead_ = by.count(); }

 private:
  std::chrono::milliseconds shift() const { return std::chrono::milliseconds(shift_.load()); }
  SystemClock system_;
  std::atomic<std::int64_t> shift_ = 0;
  std::atomic<std::int64_t> ahead_ = 0;
};

// A value that another thread gives once.
template <class T>
class Promise {
 public:
  // Notifies under the lock: who takes the value may destroy this at once.
  void set(T value) {
    std::lock_guard lock(mutex_);
    value_.emplace(std::move(value));
    changed_.notify_all();
  }
  T take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return value_.has_value(); });
    return std::exchange(value_, std::nullopt).value();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> value_;
};

// Counts wakes, and waits until a condition that wakes announce is true.
class Waker {
 public:
  std::function<void()> callback() {
    return [state = state_] {
      {
        std::lock_guard lock(state->mutex);
        ++state->wakes;
      }
      state->changed.notify_all();
    };
  }
  template <class Condition>
  void wait_until(Condition condition) {
    std::unique_lock lock(state_->mutex);
    while (true) {
      const std::size_t seen = state_->wakes;
      lock.unlock();
      if (condition()) return;
      lock.lock();
      state_->changed.wait(lock, [&] { return state_->wakes != seen; });
    }
  }
  std::size_t wakes() const {
    std::lock_guard lock(state_->mutex);
    return state_->wakes;
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t wakes = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

inline ChatRequest chat_request(std::string client, std::string content) {
  ChatRequest request;
  request.client_id = std::move(client);
  request.family = "family";
  request.token_id = "token";
  request.content = std::move(content);
  return request;
}

inline RunInfo run_info(std::string id, std::string client = "alice",
                        std::string conversation = "c") {
  RunInfo info;
  info.id = std::move(id);
  info.client_id = std::move(client);
  info.conversation_id = std::move(conversation);
  info.model = "scripted";
  info.created_at = WallTime(std::chrono::seconds(1'700'000'000));
  return info;
}

inline std::shared_ptr<LiveRun> live_run(std::string id, std::string client = "alice",
                                         std::string conversation = "c",
                                         std::string content = "question") {
  ChatRequest request = chat_request(client, std::move(content));
  return std::make_shared<LiveRun>(
      run_info(std::move(id), std::move(client), std::move(conversation)), std::move(request));
}

inline Outcome complete(std::string reason = "stop") {
  Outcome outcome;
  outcome.finish_reason = std::move(reason);
  return outcome;
}

}  // namespace tars::chat::testing
