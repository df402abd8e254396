// An engine on a real file with the scripted stand-in for a model.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "../../support/temp_folder.h"
#include "chat_fixture.h"
#include "scripted_backend.h"
#include "telemetry/metrics.h"

namespace tars::chat::testing {

class EngineTest : public ::testing::Test {
 protected:
  std::filesystem::path database() const { return folder_.path() / "chat.db"; }
  void open() {
    auto engine = Engine::open(database(), options_, *backend_, clock_, metrics_);
    ASSERT_TRUE(engine) << engine.error().message;
    engine_ = *std::move(engine);
  }
  void reopen() {
    engine_.reset();
    backend_ = std::make_unique<ScriptedBackend>();
    open();
  }

  Result<std::unique_ptr<Follower>> submit(ChatRequest request) {
    auto answer = std::make_shared<Promise<Result<std::unique_ptr<Follower>>>>();
    engine_->submit(
        std::move(request), waker_.callback(),
        [answer](Result<std::unique_ptr<Follower>> result) { answer->set(std::move(result)); });
    return answer->take();
  }
  std::unique_ptr<Follower> chat(std::string client, std::string content,
                                 std::optional<std::string> conversation = {},
                                 std::optional<std::string> message = {}) {
    ChatRequest request = chat_request(std::move(client), std::move(content));
    request.conversation_id = std::move(conversation);
    request.message_id = std::move(message);
    auto submitted = submit(std::move(request));
    if (!submitted) {
      ADD_FAILURE() << submitted.error().message;
      return nullptr;
    }
    return *std::move(submitted);
  }
  Result<std::unique_ptr<Follower>> follow(std::string client, std::string run) {
    return follow(std::move(client), RunName{.run_id = std::move(run), .message_id = {}});
  }
  Result<std::unique_ptr<Follower>> follow_message(std::string client, std::string message) {
    return follow(std::move(client), RunName{.run_id = {}, .message_id = std::move(message)});
  }
  Result<std::unique_ptr<Follower>> follow(std::string client, RunName run) {
    auto answer = std::make_shared<Promise<Result<std::unique_ptr<Follower>>>>();
    engine_->follow(
        std::move(client), std::move(run), waker_.callback(),
        [answer](Result<std::unique_ptr<Follower>> result) { answer->set(std::move(result)); });
    return answer->take();
  }
  Result<void> cancel(std::string client, CancelTarget target) {
    auto answer = std::make_shared<Promise<Result<void>>>();
    engine_->cancel(std::move(client), std::move(target),
                    [answer](Result<void> result) { answer->set(std::move(result)); });
    return answer->take();
  }
  // A command that changes nothing: when it is answered, the worker has done all that came before.
  void settle() {
    for (int i = 0; i < 2; ++i) static_cast<void>(follow("nobody", "no-run"));
  }
  Outcome end_of(const Follower& follower) {
    waker_.wait_until([&] { return follower.run().outcome().has_value(); });
    return *follower.run().outcome();
  }

  // Alice's "hi", to which the backend's first generation answered "hello".
  std::unique_ptr<Follower> answered_hello(std::optional<std::string> conversation = {},
                                           std::optional<std::string> message = {}) {
    auto follower = chat("alice", "hi", std::move(conversation), std::move(message));
    const auto generation = backend_->generation(0);
    generation->say("hello");
    backend_->finish(*generation, llm::FinishReason::stop);
    end_of(*follower);
    return follower;
  }

  const TempFolder folder_;
  ShiftedClock clock_;
  telemetry::Metrics metrics_;
  Options options_;
  std::unique_ptr<ScriptedBackend> backend_ = std::make_unique<ScriptedBackend>();
  Waker waker_;
  std::unique_ptr<Engine> engine_;  // ends before what it uses
};

}  // namespace tars::chat::testing
