#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "chat/chat_engine.h"
#include "chat/schema.h"
#include "engine_fixture.h"

namespace tars::chat {
namespace {

class WorkerTest : public testing::EngineTest {
 protected:
  void finish(std::size_t n) {
    backend_->finish(*backend_->generation(n), llm::FinishReason::stop);
  }
};

TEST_F(WorkerTest, WaitingRunsTellTheirPositionsAndStartInTurn) {
  backend_ = std::make_unique<testing::ScriptedBackend>(1);
  open();
  auto running = chat("alice", "a1");
  auto second = chat("alice", "a2");
  auto third = chat("alice", "a3");
  auto bob = chat("bob", "b1");
  EXPECT_EQ(running->run().position(), 0);
  EXPECT_EQ(bob->run().position(), 1);
  EXPECT_EQ(second->run().position(), 2);
  EXPECT_EQ(third->run().position(), 3);
  finish(0);
  EXPECT_EQ(backend_->generation(1)->request.messages.back().content, "b1");
  waker_.wait_until([&] { return third->run().position() == 2; });
  finish(1);
  EXPECT_EQ(backend_->generation(2)->request.messages.back().content, "a2");
  finish(2);
  EXPECT_EQ(backend_->generation(3)->request.messages.back().content, "a3");
  settle();
  EXPECT_EQ(metrics_.queue_wait.Collect().histogram.sample_count, 4u);
}

TEST_F(WorkerTest, AFaultAtItsBeginningCostsARunAlone) {
  backend_ = std::make_unique<testing::ScriptedBackend>(1);
  open();
  backend_->throws_once = true;
  auto failed = chat("alice", "q1", "same");
  ASSERT_TRUE(failed);
  EXPECT_EQ(end_of(*failed).status, RunStatus::failed);
  EXPECT_EQ(end_of(*failed).error->code, ErrorCode::internal);
  auto running = chat("alice", "q2", "same");  // its place and its conversation are free
  EXPECT_EQ(backend_->generation(0)->request.messages.back().content, "q2");
  auto waiting = chat("alice", "q3", "same");
  backend_->throws_once = true;
  finish(0);
  EXPECT_EQ(end_of(*waiting).status, RunStatus::failed) << "one that had to wait, too";
  auto next = chat("alice", "q4", "same");
  EXPECT_EQ(backend_->generation(1)->request.messages.back().content, "q4");
}

// Before the run is known to be one.
TEST_F(WorkerTest, AFaultInACommandIsItsAnswer) {
  open();
  backend_->resolve_throws_once = true;
  const auto refused = submit(testing::chat_request("alice", "q"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::internal);
  EXPECT_TRUE(submit(testing::chat_request("alice", "q")));
}

TEST_F(WorkerTest, TurnsOfAConversationFollowEachOther) {
  open();
  auto one = chat("alice", "q1", "same");
  auto two = chat("alice", "q2", "same");
  auto other = chat("alice", "q3", "other");
  EXPECT_EQ(backend_->generation(1)->request.messages.back().content, "q3");
  EXPECT_EQ(two->run().position(), 1);
  backend_->generation(0)->say("a1");
  finish(0);
  const auto messages = backend_->generation(2)->request.messages;
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[1].content, "a1");
  EXPECT_EQ(messages[2].content, "q2");
}

// The runs that another connection, like that of a restart after a kill, would find.
std::int64_t stored_runs(const std::filesystem::path& database) {
  auto reader = store::Database::open(database, store::Durability::process_crash, schema());
  auto row = reader->prepare("SELECT count(*) FROM runs");
  EXPECT_TRUE(row->step().value());
  return row->integer(0);
}

TEST_F(WorkerTest, BeginningsShareATransactionAndAreAnsweredWhenItIsWritten) {
  options_.flush_interval = std::chrono::hours(1);
  options_.commit_interval = std::chrono::hours(1);
  open();
  auto first = chat("alice", "q");  // alone: at once
  EXPECT_EQ(stored_runs(database()), 1);
  std::array<testing::Promise<Result<std::unique_ptr<Follower>>>, 2> answers;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 2; ++i) {
    engine_->submit(testing::chat_request("client" + std::to_string(i), "q"), waker_.callback(),
                    [&, i](Result<std::unique_ptr<Follower>> result) {
                      ++answered;
                      answers.at(i).set(std::move(result));
                    });
  }
  settle();
  EXPECT_EQ(backend_->generation(2)->request.messages.size(), 1u) << "they began";
  EXPECT_EQ(answered, 0);
  EXPECT_EQ(stored_runs(database()), 1);
  clock_.advance(std::chrono::hours(1));
  settle();
  for (auto& answer : answers) EXPECT_TRUE(answer.take());
  EXPECT_EQ(stored_runs(database()), 3);
}

TEST_F(WorkerTest, ABeginningThatIsNotWrittenYetIsAnsweredAtTheEnd) {
  options_.flush_interval = std::chrono::hours(1);
  options_.commit_interval = std::chrono::hours(1);
  open();
  auto first = chat("alice", "q");
  testing::Promise<Result<std::unique_ptr<Follower>>> answer;
  engine_->submit(testing::chat_request("carol", "q"), waker_.callback(),
                  [&](Result<std::unique_ptr<Follower>> result) { answer.set(std::move(result)); });
  settle();
  engine_.reset();
  auto submitted = answer.take();
  ASSERT_TRUE(submitted);
  EXPECT_EQ((*submitted)->run().outcome()->status, RunStatus::cancelled);
  EXPECT_EQ(stored_runs(database()), 2);
}

TEST_F(WorkerTest, AtTheEndItWaitsForTheStore) {
  open();
  auto follower = chat("alice", "q");
  auto other = store::Database::open(database(), store::Durability::process_crash, schema());
  auto lock = store::Transaction::begin(*other);
  ASSERT_TRUE(lock);
  backend_->generation(0)->say("a");
  finish(0);
  EXPECT_EQ(end_of(*follower).status, RunStatus::complete) << "an answer waits for no lock";
  std::thread last([this] { engine_.reset(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_TRUE(lock->commit());
  last.join();
  backend_ = std::make_unique<testing::ScriptedBackend>();
  open();
  auto stored = follow("alice", follower->run().info().id);
  ASSERT_TRUE(stored);
  EXPECT_EQ((*stored)->run().outcome()->status, RunStatus::complete);
  EXPECT_EQ((*stored)->run().text(), "a");
}

TEST_F(WorkerTest, AHistoryIsAsLongAsTheModelThatAnswersTakes) {
  backend_->lane_context = 1024;  // 8 KiB of history
  options_.commit_interval = {};  // each turn is stored before the next
  open();
  for (int turn = 0; turn < 3; ++turn) {
    auto follower = chat("alice", std::string(4000, 'q'), "talk");
    backend_->generation(static_cast<std::size_t>(turn))->say("a");
    finish(static_cast<std::size_t>(turn));
    end_of(*follower);
    settle();
  }
  auto follower = chat("alice", "q", "talk");
  EXPECT_EQ(backend_->generation(3)->request.messages.size(), 5u);
}

TEST_F(WorkerTest, ALostFollowerHasItsGrace) {
  open();
  auto follower = chat("alice", "hi");
  const std::string id = follower->run().info().id;
  follower->leave(Leave::lost);
  clock_.advance(std::chrono::seconds(29));
  settle();
  auto back = follow("alice", id);
  ASSERT_TRUE(back);
  clock_.advance(std::chrono::seconds(60));
  settle();
  EXPECT_FALSE((*back)->run().outcome()) << "somebody follows";
  (*back)->leave(Leave::lost);
  clock_.advance(std::chrono::seconds(31));
  settle();
  EXPECT_TRUE(backend_->generation(0)->stop.stop_requested());
}

TEST_F(WorkerTest, AFirstRunStartsInAFullLaneOfABackendThatPauses) {
  backend_ = std::make_unique<testing::ScriptedBackend>(2);
  backend_->pauses_answers = true;
  open();
  const auto one = chat("alice", "one");
  const auto two = chat("alice", "two");
  const auto first = chat("bob", "first");
  const auto third_client = chat("carol", "first");
  settle();
  EXPECT_EQ(backend_->begun(), 3U) << "two clients have the two slots, carol waits";
  EXPECT_EQ(backend_->generation(2)->request.client, "bob");
  EXPECT_EQ(third_client->run().position(), 1);
  EXPECT_EQ(engine_->counts().running, 3U);
  backend_->finish(*backend_->generation(2), llm::FinishReason::stop);
  EXPECT_EQ(backend_->generation(3)->request.client, "carol");
}

TEST_F(WorkerTest, ARefusalAfterWaitingEndsTheRunAsFailed) {
  options_.running_per_client = 1;
  open();
  auto running = chat("alice", "one");
  auto waiting = chat("alice", "two");
  backend_->refuse(make_error(ErrorCode::context_overflow, "too long"));
  finish(0);
  const Outcome outcome = end_of(*waiting);
  EXPECT_EQ(outcome.status, RunStatus::failed);
  EXPECT_EQ(outcome.error->code, ErrorCode::context_overflow);
  settle();
  EXPECT_EQ(engine_->counts().waiting + engine_->counts().running, 0u);
}

TEST_F(WorkerTest, ANewcomerDoesNotOvertakeWhoWaits) {
  backend_ = std::make_unique<testing::ScriptedBackend>(1);
  open();
  auto running = chat("alice", "a1");
  auto waiting = chat("bob", "b1");
  finish(0);  // the worker may hear of this and of the next message at once
  auto newcomer = chat("alice", "a2");
  EXPECT_EQ(backend_->generation(1)->request.messages.back().content, "b1");
}

TEST_F(WorkerTest, ARunThatABusyServerRefusedIsAskedForAgain) {
  open();
  ChatRequest request = testing::chat_request("alice", "hi");
  request.message_id = "m1";
  request.conversation_id = "talk";
  const std::unique_ptr<Follower> first = submit(request).value();
  Error busy = make_error(ErrorCode::overloaded, "busy");
  busy.retry_after = std::chrono::seconds(7);
  backend_->fail(*backend_->generation(0), std::move(busy));
  waker_.wait_until([&] { return first->run().has_ended(); });
  EXPECT_EQ(first->run().outcome()->error->retry_after, std::chrono::seconds(7));
  const std::unique_ptr<Follower> again = submit(request).value();
  EXPECT_NE(again->run().info().id, first->run().info().id);
  backend_->generation(1)->say("hello");
  finish(1);
  waker_.wait_until([&] { return again->run().has_ended(); });
  const auto turns = backend_->generation(1)->request.messages;
  EXPECT_EQ(turns.size(), 1u) << "the refused question is no part of the conversation";
  settle();
  EXPECT_EQ((*submit(request))->run().info().id, again->run().info().id);
}

TEST_F(WorkerTest, ARunThatWasRefusedInTheMiddleKeepsItsPart) {
  open();
  ChatRequest request = testing::chat_request("alice", "hi");
  request.message_id = "m1";
  const std::unique_ptr<Follower> first = submit(request).value();
  backend_->generation(0)->say("part");
  backend_->fail(*backend_->generation(0), make_error(ErrorCode::overloaded, "busy"));
  waker_.wait_until([&] { return first->run().has_ended(); });
  EXPECT_EQ((*submit(request))->run().info().id, first->run().info().id);
}

TEST_F(WorkerTest, ABackendWithoutRoomMakesTheRunWait) {
  open();
  backend_->refuse(make_error(ErrorCode::overloaded, "full"));
  auto one = chat("alice", "one");
  EXPECT_EQ(one->run().position(), 1);
  EXPECT_EQ(engine_->counts().waiting, 1u);
  backend_->refuse({});
  clock_.advance(std::chrono::seconds(1));
  settle();
  EXPECT_EQ(backend_->generation(0)->request.messages.back().content, "one");
}

TEST_F(WorkerTest, RunsWaitInLineUntilTheModelIsLoaded) {
  open();
  backend_->loading = true;
  auto one = chat("alice", "one");
  auto two = chat("bob", "two");
  EXPECT_EQ(one->run().position(), 1);
  waker_.wait_until([&] { return two->run().position() == 2; });
  clock_.advance(std::chrono::seconds(1));
  settle();
  EXPECT_EQ(engine_->counts().waiting, 2u);
  EXPECT_EQ(backend_->begun(), 0u);
  backend_->loading = false;
  clock_.advance(std::chrono::seconds(1));
  settle();
  EXPECT_EQ(backend_->generation(0)->request.messages.back().content, "one");
  EXPECT_EQ(backend_->generation(1)->request.messages.back().content, "two");
}

TEST_F(WorkerTest, CancelOfAWaitingRunEndsItAndMovesTheOthersUp) {
  options_.running_per_client = 1;
  open();
  auto running = chat("alice", "one");
  auto second = chat("alice", "two");
  auto third = chat("alice", "three");
  CancelTarget target;
  target.run_id = second->run().info().id;
  engine_->cancel("alice", target, [](Result<void>) {});
  EXPECT_EQ(second->run().status(), RunStatus::cancelled) << "before the worker knows";
  waker_.wait_until([&] { return third->run().position() == 1; });
}

TEST_F(WorkerTest, OldLogsArePrunedTheMessageStillNeverRunsTwice) {
  open();
  auto first = answered_hello("c1", "m1");
  EXPECT_TRUE(engine_->shutdown());
  clock_.advance(std::chrono::hours(23));
  reopen();
  auto replay = chat("alice", "hi", "c1", "m1");
  EXPECT_EQ(replay->run().text(), "hello");
  EXPECT_EQ(replay->run().outcome()->finish_reason, "stop");
  clock_.advance(std::chrono::hours(2));
  reopen();
  settle();  // the first look at both clocks is over
  clock_.advance(ClockWatch::kSettled);
  settle();
  replay = chat("alice", "hi", "c1", "m1");
  EXPECT_EQ(replay->run().outcome()->error->code, ErrorCode::history_lost);
  EXPECT_EQ(backend_->begun(), 0u);
}

TEST_F(WorkerTest, AClockThatIsAheadForAMomentPrunesNothing) {
  open();
  answered_hello("c1", "m1");
  clock_.advance(std::chrono::seconds(1));
  settle();  // its end is stored, with the time at which that was
  clock_.set_ahead(std::chrono::hours(48));
  clock_.advance(ClockWatch::kSettled);
  settle();
  EXPECT_TRUE(engine_->shutdown());
  clock_.set_ahead(std::chrono::hours(0));
  reopen();
  EXPECT_EQ(chat("alice", "hi", "c1", "m1")->run().text(), "hello");
}

TEST_F(WorkerTest, ManyOldLogsArePrunedAFewAtATime) {
  constexpr int kRuns = 90;
  {
    auto repository = Repository::open(database());
    for (int i = 0; i < kRuns; ++i) {
      const RunInfo info = testing::run_info("r" + std::to_string(i));
      ASSERT_TRUE(repository->create_run(info, "q", "h"));
      ASSERT_TRUE(repository->append_log(info.id, {.text = "a", .first = 0, .count = 1}, {1}));
      ASSERT_TRUE(repository->finish_run(info, testing::complete(), 1, "a", info.created_at));
    }
  }
  open();
  settle();
  clock_.advance(ClockWatch::kSettled);
  settle();
  auto reader = store::Database::open(database(), store::Durability::process_crash, schema());
  const auto left = [&] {
    auto row = reader->prepare("SELECT count(*) FROM run_log");
    return row->step().value() ? row->integer(0) : -1;
  };
  std::vector<std::int64_t> seen;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while ((seen.empty() || seen.back() > 0) && std::chrono::steady_clock::now() < until) {
    const std::int64_t now = left();
    if (seen.empty() || seen.back() != now) seen.push_back(now);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(seen.back(), 0);
  const auto between = std::ranges::count_if(
      seen, [](auto count) { return count == 70 || count == 50 || count == 30 || count == 10; });
  EXPECT_GE(between, 2) << "the worker was not free between two passes";
}

TEST_F(WorkerTest, CountsItsRuns) {
  open();
  auto one = answered_hello();
  settle();
  EXPECT_EQ(metrics_.tokens_generated.Value(), 1);
  EXPECT_EQ(metrics_.tokens_prompt.Value(), 3);
  EXPECT_NE(metrics_.text().find("outcome=\"complete\"} 1"), std::string::npos) << metrics_.text();
}

}  // namespace
}  // namespace tars::chat
