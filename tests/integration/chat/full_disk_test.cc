// No byte may be written any more: answers and memory of the conversation go on, and are stored
// later.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include "engine_fixture.h"

namespace tars::chat {
namespace {

// While it lives, no file of this process may grow past a few bytes: SQLite sees failing writes.
class FullDisk {
 public:
  FullDisk() {
    previous_handler_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &previous_);
    rlimit limit = previous_;
    limit.rlim_cur = 1;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &previous_);
    ::signal(SIGXFSZ, previous_handler_);
  }

 private:
  rlimit previous_{};
  void (*previous_handler_)(int) = nullptr;
};

class FullDiskTest : public testing::EngineTest {
 protected:
  void say(std::size_t n, const std::string& text) {
    auto generation = backend_->generation(n);
    generation->say(text);
    backend_->finish(*generation, llm::FinishReason::stop);
  }
};

TEST_F(FullDiskTest, AnswersGoOnAndAreStoredWhenThereIsRoomAgain) {
  open();
  testing::Promise<std::string> told;
  std::atomic<int> changes = 0;
  engine_->set_store_listener([&](const std::string& trouble) {
    ++changes;
    told.set(trouble);
  });
  {
    FullDisk full;
    auto first = chat("alice", "q1", "c1", "m1");
    EXPECT_NE(told.take(), "");
    ASSERT_FALSE(engine_->check_store());
    EXPECT_EQ(engine_->check_store().error().code, ErrorCode::store_unavailable);
    say(0, "a1");
    EXPECT_EQ(end_of(*first).status, RunStatus::complete);
    auto second = chat("alice", "q2", "c1");
    const auto messages = backend_->generation(1)->request.messages;
    ASSERT_EQ(messages.size(), 3u) << "the turn that is not stored is in the prompt";
    EXPECT_EQ(messages[1].content, "a1");
    EXPECT_EQ(chat("alice", "q1", "c1", "m1")->run().text(), "a1");
    say(1, "a2");
    end_of(*second);
    EXPECT_EQ(changes, 1);
  }
  clock_.advance(std::chrono::seconds(2));
  settle();
  EXPECT_EQ(told.take(), "");
  EXPECT_EQ(changes, 2);
  EXPECT_TRUE(engine_->check_store());
  reopen();
  EXPECT_EQ(chat("alice", "q1", "c1", "m1")->run().text(), "a1");
  auto third = chat("alice", "q3", "c1");
  const auto messages = backend_->generation(0)->request.messages;
  ASSERT_EQ(messages.size(), 5u);
  EXPECT_EQ(messages[3].content, "a2");
}

}  // namespace
}  // namespace tars::chat
