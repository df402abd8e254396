// Many threads talk to one engine while a stand-in for a model answers from another thread.
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "engine_fixture.h"

namespace tars::chat {
namespace {

// Answers each generation from its own thread, a few tokens at a time, in the order they came.
class AnsweringThread {
 public:
  explicit AnsweringThread(testing::ScriptedBackend& backend, std::size_t expected)
      : thread_([&backend, expected] {
          for (std::size_t n = 0; n < expected; ++n) {
            auto generation = backend.generation(n);
            if (generation->request.run_id.empty()) return;
            for (int i = 0; i < 20 && !generation->stop.stop_requested(); ++i) {
              generation->sink->on_token(std::to_string(i) + " ");
              generation->sink->on_step_end();
            }
            backend.finish(*generation, generation->stop.stop_requested()
                                            ? llm::FinishReason::cancelled
                                            : llm::FinishReason::stop);
          }
        }) {}
  ~AnsweringThread() { thread_.join(); }

 private:
  std::thread thread_;
};

class ManyClientsTest : public testing::EngineTest {};

TEST_F(ManyClientsTest, EveryRunEndsAndEveryReaderHasTheWholeText) {
  constexpr int kClients = 6;
  constexpr int kRuns = 12;
  backend_ = std::make_unique<testing::ScriptedBackend>(3);
  backend_->answers_stop = false;
  options_.flush_interval = std::chrono::milliseconds(2);
  open();
  std::atomic<int> ended = 0;
  std::string whole;
  for (int i = 0; i < 20; ++i) whole += std::to_string(i) + " ";
  {
    AnsweringThread model(*backend_, kClients * kRuns);
    std::vector<std::thread> clients;
    for (int c = 0; c < kClients; ++c) {
      clients.emplace_back([&, c] {
        const std::string client = "client" + std::to_string(c);
        for (int r = 0; r < kRuns; ++r) {
          testing::Waker waker;
          testing::Promise<std::unique_ptr<Follower>> given;
          auto request = testing::chat_request(client, "question");
          request.message_id = "m" + std::to_string(r);
          engine_->submit(std::move(request), waker.callback(),
                          [&](Result<std::unique_ptr<Follower>> result) {
                            given.set(result ? *std::move(result) : nullptr);
                          });
          const auto follower = given.take();
          ASSERT_TRUE(follower);
          std::string text;
          std::size_t offset = 0;
          waker.wait_until([&] {
            const bool is_ended = follower->run().outcome().has_value();
            const Slice slice = follower->run().read(offset, 1 << 20);
            text += slice.text;
            offset += slice.count;
            return is_ended;
          });
          EXPECT_EQ(text, whole);
          ++ended;
        }
      });
    }
    for (auto& client : clients) client.join();
  }
  EXPECT_EQ(ended, kClients * kRuns);
  settle();
  EXPECT_EQ(engine_->counts().running + engine_->counts().waiting, 0u);
}

// Cancels, revocations and leaving readers race with answers: nothing hangs, every run ends once.
TEST_F(ManyClientsTest, StopsRaceWithAnswers) {
  constexpr int kClients = 4;
  constexpr int kRuns = 25;
  backend_ = std::make_unique<testing::ScriptedBackend>(2);
  open();
  std::atomic<bool> stop = false;
  std::thread model([&] {
    std::size_t n = 0;
    while (!stop) {
      if (backend_->begun() <= n) {
        std::this_thread::yield();
        continue;
      }
      auto generation = backend_->generation(n++);
      backend_->finish(*generation, llm::FinishReason::stop);
    }
  });
  std::vector<std::thread> clients;
  for (int c = 0; c < kClients; ++c) {
    clients.emplace_back([&, c] {
      std::mt19937 random(static_cast<unsigned>(c));
      const std::string client = "client" + std::to_string(c);
      for (int r = 0; r < kRuns; ++r) {
        testing::Waker waker;
        testing::Promise<std::unique_ptr<Follower>> given;
        engine_->submit(testing::chat_request(client, "question"), waker.callback(),
                        [&](Result<std::unique_ptr<Follower>> result) {
                          given.set(result ? *std::move(result) : nullptr);
                        });
        CancelTarget target;
        auto follower = given.take();
        ASSERT_TRUE(follower);
        target.run_id = follower->run().info().id;
        if (random() % 3 == 0) engine_->cancel(client, target, [](Result<void>) {});
        if (random() % 3 == 0) engine_->revoke(client, "family", "token");
        if (random() % 3 == 0) follower->leave(Leave::closed);
        const chat::Run& run = follower->run();
        while (!run.outcome()) std::this_thread::yield();
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_TRUE(engine_->shutdown());
  stop = true;
  model.join();
  EXPECT_EQ(engine_->counts().running + engine_->counts().waiting, 0u);
}

}  // namespace
}  // namespace tars::chat
