#include "chat/repository.h"

#include <gtest/gtest.h>

#include "base/utf8.h"
#include "chat_fixture.h"

namespace tars::chat {
namespace {

using testing::complete;
using testing::run_info;

constexpr std::size_t kPlenty = 1 << 20;

class RepositoryTest : public ::testing::Test {
 protected:
  RepositoryTest() : repository_(*Repository::open(":memory:")) {}

  void create(const RunInfo& info, const std::string& content) {
    ASSERT_TRUE(repository_.create_run(info, content, "hash of " + content));
  }
  void finish(const RunInfo& info, const std::string& text, Outcome outcome = complete()) {
    ASSERT_TRUE(
        repository_.finish_run(info, outcome, 1, text, info.created_at + std::chrono::seconds(1)));
  }
  std::string scalar(const std::string& sql) {
    auto row = repository_.database().prepare(sql);
    return row && *row->step() ? row->text(0) : "none";
  }

  Repository repository_;
};

TEST_F(RepositoryTest, ARunComesBackAsItWas) {
  RunInfo info = run_info("r1");
  info.message_id = "m1";
  create(info, "hello");
  Outcome outcome = complete("length");
  outcome.prompt_tokens = 5;
  outcome.cached_tokens = 2;
  outcome.latency_ms = 12.5;
  outcome.ttft_ms = 3.25;
  outcome.tokens_per_second = 99.5;
  finish(info, "answer", outcome);
  auto stored = repository_.find_message("alice", "m1");
  ASSERT_TRUE(stored && *stored);
  EXPECT_EQ((*stored)->info.id, "r1");
  EXPECT_EQ((*stored)->info.conversation_id, "c");
  EXPECT_EQ((*stored)->info.created_at, info.created_at);
  EXPECT_EQ((*stored)->content_hash, "hash of hello");
  EXPECT_EQ((*stored)->outcome.status, RunStatus::complete);
  EXPECT_EQ((*stored)->outcome.finish_reason, "length");
  EXPECT_EQ((*stored)->outcome.prompt_tokens, 5);
  EXPECT_DOUBLE_EQ((*stored)->outcome.latency_ms, 12.5);
  EXPECT_DOUBLE_EQ((*stored)->outcome.ttft_ms, 3.25);
  EXPECT_DOUBLE_EQ((*stored)->outcome.tokens_per_second, 99.5);
  EXPECT_FALSE((*stored)->outcome.error);
  EXPECT_TRUE(*repository_.find_run("alice", "r1"));
}

TEST_F(RepositoryTest, AnotherClientFindsNothing) {
  RunInfo info = run_info("r1");
  info.message_id = "m1";
  create(info, "hello");
  finish(info, "answer");
  EXPECT_FALSE(*repository_.find_run("bob", "r1"));
  EXPECT_FALSE(*repository_.find_message("bob", "m1"));
  EXPECT_TRUE(repository_.history("bob", "c", kPlenty)->empty());
}

TEST_F(RepositoryTest, LogComesBackTokenByToken) {
  RunInfo info = run_info("r1");
  create(info, "hello");
  chat::Run written(info);
  for (const char* token : {"a", "", "bc", "", "\xC3\xA4"}) written.append(token, SteadyTime{});
  const Slice first = written.read(0, 1);
  ASSERT_TRUE(repository_.append_log("r1", first, written.lengths(first.first, first.count)));
  const Slice rest = written.read(first.count, kPlenty);
  ASSERT_TRUE(repository_.append_log("r1", rest, written.lengths(rest.first, rest.count)));
  chat::Run read(info);
  ASSERT_TRUE(repository_.read_log(read));
  EXPECT_EQ(read.text(), written.text());
  EXPECT_EQ(read.lengths(0, 9), written.lengths(0, 9));
}

TEST_F(RepositoryTest, HistoryIsTheAnsweredTurnsInOrder) {
  // The second question came before the first answer; the third has none.
  create(run_info("r1"), "q1");
  create(run_info("r2"), "q2");
  create(run_info("r3"), "q3");
  finish(run_info("r1"), "a1");
  Outcome cancelled;
  cancelled.status = RunStatus::cancelled;
  finish(run_info("r2"), "half", cancelled);
  finish(run_info("r3"), "", cancelled);
  create(run_info("r4", "alice", "other"), "elsewhere");
  finish(run_info("r4", "alice", "other"), "elsewhere");
  auto turns = repository_.history("alice", "c", kPlenty);
  ASSERT_TRUE(turns);
  ASSERT_EQ(turns->size(), 2u);
  EXPECT_EQ((*turns)[0].user, "q1");
  EXPECT_EQ((*turns)[0].assistant, "a1");
  EXPECT_EQ((*turns)[1].user, "q2");
  EXPECT_EQ((*turns)[1].assistant, "half");
  EXPECT_EQ(scalar("SELECT group_concat(partial, '') FROM (SELECT partial FROM messages WHERE"
                   " conversation_id = 'c' AND role = 'assistant' ORDER BY turn)"),
            "01");
}

TEST_F(RepositoryTest, HistoryKeepsTheYoungestThatFit) {
  for (int i = 0; i < 5; ++i) {
    const RunInfo info = run_info("r" + std::to_string(i));
    create(info, std::string(10, 'q'));
    finish(info, std::string(9, 'a') + std::to_string(i));
  }
  auto turns = repository_.history("alice", "c", 125);
  ASSERT_EQ(turns->size(), 2u);
  EXPECT_EQ((*turns)[0].assistant.back(), '3');
  EXPECT_EQ((*turns)[1].assistant.back(), '4');
}

TEST_F(RepositoryTest, HistoriesThatAreCutBeginAtTheSamePlaceForAWhile) {
  constexpr std::size_t kOfSixtyFour = 64 * 60;
  int moves = 0;
  std::string begin;
  for (int i = 0; i < 200; ++i) {
    const RunInfo info = run_info("r" + std::to_string(i));
    create(info, std::string(10, 'q'));
    if (i % 7 == 3) continue;  // without an answer
    finish(info, std::to_string(1'000'000'000 + i));
    const auto turns = repository_.history("alice", "c", kOfSixtyFour);
    ASSERT_FALSE(turns->empty());
    EXPECT_EQ(turns->back().assistant, std::to_string(1'000'000'000 + i));
    if (i < 100) continue;
    EXPECT_GT(turns->size(), 32u);
    EXPECT_LE(turns->size(), 64u);
    if (std::exchange(begin, turns->front().assistant) != begin) ++moves;
  }
  EXPECT_LE(moves, 4);
}

TEST_F(RepositoryTest, TitleIsTheFirst80CharactersOfTheFirstQuestion) {
  std::string content;
  for (int i = 0; i < 100; ++i) content += "\xE2\x82\xAC";  // €
  create(run_info("r1"), content);
  create(run_info("r2"), "later");
  const std::string title = scalar("SELECT title FROM conversations");
  EXPECT_EQ(count_code_points(title), 80u);
  EXPECT_EQ(content.substr(0, title.size()), title);
  create(run_info("r3", "alice", "short"), "hi");
  EXPECT_EQ(scalar("SELECT title FROM conversations WHERE id = 'short'"), "hi");
}

TEST_F(RepositoryTest, OpenRunsAreThoseWithoutAnEnd) {
  create(run_info("r1"), "q");
  create(run_info("r2"), "q");
  finish(run_info("r1"), "a");
  auto open = repository_.open_runs();
  ASSERT_EQ(open->size(), 1u);
  EXPECT_EQ(open->front().id, "r2");
}

TEST_F(RepositoryTest, AForgottenRunLeavesNothingBehind) {
  create(run_info("r1"), "q1");
  create(run_info("r2"), "q2");
  ASSERT_TRUE(repository_.forget_run(run_info("r2")));
  EXPECT_FALSE(*repository_.find_run("alice", "r2"));
  EXPECT_TRUE(*repository_.find_run("alice", "r1"));
  EXPECT_EQ(scalar("SELECT group_concat(content) FROM messages"), "q1");
  EXPECT_EQ(scalar("SELECT count(*) FROM conversations"), "1");
  ASSERT_TRUE(repository_.forget_run(run_info("r1")));
  EXPECT_EQ(scalar("SELECT count(*) FROM conversations"), "0");
}

TEST_F(RepositoryTest, PruningDropsOldLogsAndKeepsMessages) {
  for (int i = 0; i < 3; ++i) {
    RunInfo info = run_info("r" + std::to_string(i));
    info.created_at += std::chrono::hours(i);
    create(info, "q");
    ASSERT_TRUE(repository_.append_log(info.id, {.text = "a", .first = 0, .count = 1}, {1}));
    finish(info, "a");
  }
  const WallTime before = run_info("").created_at + std::chrono::minutes(90);
  EXPECT_EQ(*repository_.prune_logs(before, 1), 1u);
  EXPECT_EQ(*repository_.prune_logs(before, 9), 1u);
  EXPECT_EQ(*repository_.prune_logs(before, 9), 0u);
  EXPECT_TRUE((*repository_.find_run("alice", "r1"))->log_pruned);
  EXPECT_FALSE((*repository_.find_run("alice", "r2"))->log_pruned);
  EXPECT_EQ(scalar("SELECT count(*) FROM run_log"), "1");
  EXPECT_EQ(scalar("SELECT count(*) FROM messages"), "6");
}

}  // namespace
}  // namespace tars::chat
