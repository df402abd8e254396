#include "chat/store_writer.h"

#include <gtest/gtest.h>

#include <new>
#include <thread>
#include <utility>

#include "chat_fixture.h"

namespace tars::chat {
namespace {

using testing::complete;
using testing::live_run;

class StoreWriterTest : public ::testing::Test {
 protected:
  StoreWriterTest() : repository_(*Repository::open(":memory:")), writer_(repository_, clock_, 2) {
    writer_.set_listener([this](const std::string& trouble) { told_.push_back(trouble); });
  }

  std::int64_t count(const std::string& table) {
    auto row = repository_.database().prepare("SELECT count(*) FROM " + table);
    return row && *row->step() ? row->integer(0) : -1;
  }
  // A full disk: the database may not grow by a page.
  void fill_disk() {
    auto row = repository_.database().prepare("PRAGMA page_count");
    ASSERT_TRUE(*row->step());
    limit(row->integer(0));
  }
  void limit(std::int64_t pages) {
    ASSERT_TRUE(repository_.database().execute("PRAGMA max_page_count=" + std::to_string(pages)));
  }
  std::shared_ptr<LiveRun> ended_run(const std::string& id) {
    auto run = live_run(id);
    run->run->append(std::string(20'000, 'x'), SteadyTime{});
    run->end(complete(), clock_);
    return run;
  }

  testing::ShiftedClock clock_;
  Repository repository_;
  StoreWriter writer_;
  std::vector<std::string> told_;
};

TEST_F(StoreWriterTest, WritesOnlyWhatIsNew) {
  auto run = live_run("r");
  writer_.track(run);
  writer_.write();
  EXPECT_EQ(count("runs"), 1);
  EXPECT_EQ(count("messages"), 1);
  run->run->append("a", SteadyTime{});
  run->run->append("b", SteadyTime{});
  writer_.write();
  writer_.write();
  EXPECT_EQ(count("run_log"), 1);
  run->run->append("c", SteadyTime{});
  run->end(complete(), clock_);
  EXPECT_EQ(writer_.backlog(), 1u);
  writer_.write();
  EXPECT_EQ(writer_.backlog(), 0u);
  EXPECT_EQ(count("run_log"), 2);
  EXPECT_EQ(count("messages"), 2);
  chat::Run read(run->run->info());
  ASSERT_TRUE(repository_.read_log(read));
  EXPECT_EQ(read.text(), "abc");
  EXPECT_EQ(read.tokens(), 3u);
}

// Where any part of a write may find no memory.
class FailingClock final : public Clock {
 public:
  WallTime wall() const override {
    if (std::exchange(fails, false)) throw std::bad_alloc();
    return clock_.wall();
  }
  SteadyTime steady() const override { return clock_.steady(); }
  mutable bool fails = true;

 private:
  const SystemClock clock_;
};

TEST_F(StoreWriterTest, AFaultIsTroubleAndTriedAgain) {
  const FailingClock failing;
  StoreWriter writer(repository_, failing, 2);
  writer.track(ended_run("r"));
  writer.write();
  EXPECT_NE(writer.trouble(), "");
  EXPECT_TRUE(writer.retry_at());
  EXPECT_EQ(count("runs"), 0) << "nothing of it happened";
  writer.write_now();
  EXPECT_EQ(writer.trouble(), "");
  EXPECT_EQ(writer.backlog(), 0u);
  EXPECT_EQ(count("runs"), 1);
}

TEST_F(StoreWriterTest, ABeginningOrAnEndDoesNotWriteTheTextOfOthers) {
  auto going_on = live_run("r1");
  writer_.track(going_on);
  going_on->run->append("a", SteadyTime{});
  writer_.write(StoreWriter::Scope::beginnings_and_ends);
  EXPECT_EQ(count("runs"), 1);
  EXPECT_EQ(count("run_log"), 1) << "its beginning takes along what it has";
  going_on->run->append("b", SteadyTime{});
  writer_.track(ended_run("r2"));
  writer_.write(StoreWriter::Scope::beginnings_and_ends);
  EXPECT_EQ(count("runs"), 2);
  EXPECT_EQ(count("run_log"), 2) << "r1's b is not due yet";
  EXPECT_EQ(writer_.backlog(), 1u);
  writer_.write();
  EXPECT_EQ(count("run_log"), 3);
}

// PRAGMA query_only stands for a disk that takes nothing.
TEST_F(StoreWriterTest, TheFirstPassShowsWhetherOneCanWrite) {
  ASSERT_TRUE(writer_.retry_at());
  ASSERT_TRUE(repository_.database().execute("PRAGMA query_only=1"));
  writer_.write();
  EXPECT_NE(writer_.trouble(), "") << "nothing is owed";
  clock_.advance(StoreWriter::kRetry);
  writer_.write();
  EXPECT_NE(writer_.trouble(), "");
  ASSERT_TRUE(repository_.database().execute("PRAGMA query_only=0"));
  clock_.advance(StoreWriter::kRetry);
  writer_.write();
  EXPECT_EQ(writer_.trouble(), "");
  EXPECT_FALSE(writer_.retry_at());
}

TEST_F(StoreWriterTest, TroubleIsNotOverUntilEverythingIsWritten) {
  auto run = live_run("r");
  writer_.track(run);
  writer_.write();
  fill_disk();
  run->run->append(std::string(20'000, 'x'), SteadyTime{});
  writer_.write();
  ASSERT_NE(writer_.trouble(), "");
  clock_.advance(StoreWriter::kRetry);
  writer_.write(StoreWriter::Scope::beginnings_and_ends);
  EXPECT_NE(writer_.trouble(), "") << "nothing began or ended, but text is owed";
}

TEST_F(StoreWriterTest, TextHeldBackToTheEndIsStoredToo) {
  auto run = live_run("r");
  writer_.track(run);
  run->run->append("a", SteadyTime{});
  writer_.write();
  run->run->append_rest("\nUs");
  run->end(complete(), clock_);
  writer_.write();
  chat::Run read(run->run->info());
  ASSERT_TRUE(repository_.read_log(read));
  EXPECT_EQ(read.text(), "a\nUs");
}

TEST_F(StoreWriterTest, AFullDiskIsToldOnceAndTriedAgain) {
  fill_disk();
  writer_.track(ended_run("r"));
  writer_.write();
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_NE(told_[0], "");
  EXPECT_EQ(writer_.trouble(), told_[0]);
  EXPECT_EQ(count("runs"), 0) << "all or nothing";
  ASSERT_TRUE(writer_.retry_at());
  clock_.advance(StoreWriter::kRetry);
  writer_.write();
  EXPECT_EQ(told_.size(), 1u);
  limit(1 << 20);
  writer_.write();
  EXPECT_EQ(count("runs"), 0) << "not before the next try is due";
  clock_.advance(StoreWriter::kRetry);
  writer_.write();
  ASSERT_EQ(told_.size(), 2u);
  EXPECT_EQ(told_[1], "");
  EXPECT_EQ(writer_.trouble(), "");
  EXPECT_FALSE(writer_.retry_at());
  EXPECT_EQ(count("runs"), 1);
  EXPECT_EQ(writer_.backlog(), 0u);
}

std::shared_ptr<LiveRun> message_run(const std::string& id, const std::string& message) {
  RunInfo info = testing::run_info(id);
  info.message_id = message;
  ChatRequest request = testing::chat_request("alice", "question");
  request.message_id = message;
  return std::make_shared<LiveRun>(std::move(info), std::move(request));
}

Outcome refusal() {
  Outcome out;
  out.status = RunStatus::failed;
  out.error = make_error(ErrorCode::overloaded, "busy");
  return out;
}

TEST_F(StoreWriterTest, ARunThatIsRefusedWhileItIsWrittenIsForgottenAllTheSame) {
  for (int i = 0; i < 300; ++i) {
    auto run = message_run("r" + std::to_string(i), "m" + std::to_string(i));
    writer_.track(run);
    std::thread model([&] { run->end(refusal(), clock_); });
    writer_.write();
    model.join();
    writer_.write();
    ASSERT_EQ(count("runs"), 0) << i;
    ASSERT_EQ(count("messages"), 0) << i;
  }
  EXPECT_EQ(writer_.backlog(), 0u);
}

TEST_F(StoreWriterTest, ARunThatTheDatabaseNeverTakesHoldsUpNoOther) {
  writer_.track(live_run("same"));
  writer_.track(live_run("same"));
  writer_.track(ended_run("other"));
  writer_.write();
  EXPECT_EQ(count("runs"), 2);
  EXPECT_EQ(writer_.backlog(), 1u) << "the first goes on";
  EXPECT_EQ(writer_.trouble(), "");
}

TEST_F(StoreWriterTest, AMessageAskedForAgainTakesThePlaceOfItsRefusedRun) {
  auto refused = message_run("r1", "m");
  writer_.track(refused);
  writer_.write();
  fill_disk();
  refused->end(refusal(), clock_);
  for (int i = 0; i < 5; ++i) writer_.track(ended_run("e" + std::to_string(i)));
  writer_.write();
  EXPECT_EQ(writer_.find_message("alice", "m"), nullptr) << "more ended runs than it keeps";
  EXPECT_EQ(count("runs"), 1) << "its row is still there";
  limit(1 << 20);
  auto again = message_run("r2", "m");
  writer_.track(again);
  writer_.write_now();
  EXPECT_EQ(writer_.trouble(), "");
  EXPECT_EQ(repository_.find_message("alice", "m").value()->info.id, "r2");
}

TEST_F(StoreWriterTest, ATurnWithoutTextIsLeftOutWhetherItIsStoredOrNot) {
  for (const std::string text : {"", "an answer"}) {
    auto run = live_run(text.empty() ? "silent" : "said", "alice", "c");
    run->run->append(text, SteadyTime{});
    run->end(complete(), clock_);
    writer_.track(run);
  }
  const auto unsaved = writer_.unsaved("alice", "c");
  ASSERT_EQ(unsaved.size(), 1u);
  EXPECT_EQ(unsaved[0]->run->text(), "an answer");
  writer_.write();
  EXPECT_TRUE(writer_.unsaved("alice", "c").empty());
  const auto stored = repository_.history("alice", "c", 1000);
  ASSERT_EQ(stored->size(), 1u);
  EXPECT_EQ(stored->front().assistant, "an answer");
}

TEST_F(StoreWriterTest, KeepsTheYoungestEndedRunsAndAllActiveOnes) {
  fill_disk();
  auto active = live_run("active");
  active->run->append(std::string(20'000, 'x'), SteadyTime{});
  writer_.track(active);
  for (int i = 0; i < 5; ++i) writer_.track(ended_run("r" + std::to_string(i)));
  writer_.write();
  EXPECT_EQ(writer_.backlog(), 3u);
  const auto unsaved = writer_.unsaved("alice", "c");
  ASSERT_EQ(unsaved.size(), 2u);
  EXPECT_EQ(unsaved[0]->run->info().id, "r3");
  EXPECT_EQ(unsaved[1]->run->info().id, "r4");
  EXPECT_TRUE(writer_.unsaved("bob", "c").empty());
}

}  // namespace
}  // namespace tars::chat
