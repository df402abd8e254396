#include "chat/registry.h"

#include <gtest/gtest.h>

#include "chat_fixture.h"

namespace tars::chat {
namespace {

constexpr std::size_t kManyBytes = 1 << 20;

std::shared_ptr<LiveRun> with_message(const std::string& id, const std::string& client,
                                      const std::string& message) {
  RunInfo info = testing::run_info(id, client);
  info.message_id = message;
  ChatRequest request = testing::chat_request(client, "question");
  request.token_id = "token-of-" + id;
  return std::make_shared<LiveRun>(std::move(info), std::move(request));
}

TEST(RegistryTest, FindsByIdAndMessagePerClient) {
  Registry registry(4, kManyBytes);
  auto run = with_message("r1", "alice", "m1");
  registry.add(run);
  EXPECT_EQ(registry.find("alice", "r1"), run);
  EXPECT_EQ(registry.find_message("alice", "m1"), run);
  EXPECT_FALSE(registry.find("bob", "r1"));
  EXPECT_FALSE(registry.find_message("bob", "m1"));
  EXPECT_FALSE(registry.find("alice", "r2"));
  EXPECT_FALSE(registry.find_message("alice", ""));
  registry.remove(*run);
  EXPECT_FALSE(registry.find("alice", "r1"));
  EXPECT_FALSE(registry.find_message("alice", "m1"));
}

TEST(RegistryTest, KeepsTheYoungestEndedRuns) {
  Registry registry(2, kManyBytes);
  std::vector<std::shared_ptr<LiveRun>> runs;
  for (int i = 0; i < 4; ++i) {
    runs.push_back(with_message("r" + std::to_string(i), "alice", "m" + std::to_string(i)));
    registry.add(runs.back());
  }
  EXPECT_EQ(registry.active().size(), 4u);
  for (int i = 0; i < 3; ++i) registry.ended(*runs[static_cast<std::size_t>(i)]);
  registry.ended(*runs[2]);
  EXPECT_FALSE(registry.find("alice", "r0"));
  EXPECT_FALSE(registry.find_message("alice", "m0"));
  EXPECT_TRUE(registry.find("alice", "r1"));
  EXPECT_TRUE(registry.find("alice", "r2"));
  EXPECT_EQ(registry.active().size(), 1u);
}

TEST(RegistryTest, KeepsEndedRunsWithinABoundOfBytesAndAlwaysTheLast) {
  Registry registry(100, 2500);
  const auto end = [&](const std::string& id, std::size_t bytes) {
    auto run = with_message(id, "alice", id);
    run->run->append(std::string(bytes, 'x'), {});
    run->run->finish({});
    registry.add(run);
    registry.ended(*run);
  };
  end("r1", 1000);
  end("r2", 1000);
  EXPECT_TRUE(registry.find("alice", "r1"));
  end("r3", 1000);
  EXPECT_FALSE(registry.find("alice", "r1"));
  EXPECT_TRUE(registry.find("alice", "r2"));
  end("r4", 1'000'000);
  EXPECT_FALSE(registry.find("alice", "r3"));
  EXPECT_TRUE(registry.find("alice", "r4"));
  end("r5", 1000);
  EXPECT_FALSE(registry.find("alice", "r4"));
  EXPECT_TRUE(registry.find("alice", "r5"));
}

TEST(RegistryTest, AQuestionCountsLikeItsAnswer) {
  Registry registry(100, 2500);
  for (const std::string id : {"r1", "r2", "r3"}) {
    auto run = testing::live_run(id, "alice", "c", std::string(1000, 'x'));
    run->run->finish({});
    registry.add(run);
    registry.ended(*run);
  }
  EXPECT_FALSE(registry.find("alice", "r1"));
  EXPECT_TRUE(registry.find("alice", "r2"));
  EXPECT_TRUE(registry.find("alice", "r3"));
}

TEST(RegistryTest, MatchesWhatACancelMeans) {
  Registry registry(4, kManyBytes);
  auto one = with_message("r1", "alice", "m1");
  auto two = with_message("r2", "alice", "m2");
  auto other = with_message("r3", "bob", "m1");
  for (const auto& run : {one, two, other}) registry.add(run);
  registry.ended(*two);
  CancelTarget target;
  target.run_id = "r2";
  EXPECT_EQ(registry.match("alice", target), Registry::Runs{two});
  EXPECT_TRUE(registry.match("bob", target).empty());
  target = {};
  target.message_id = "m1";
  EXPECT_EQ(registry.match("alice", target), Registry::Runs{one});
  target = {};
  target.conversation_id = "c";
  EXPECT_EQ(registry.match("alice", target), Registry::Runs{one});
  EXPECT_TRUE(registry.match("alice", {}).empty());
}

TEST(RegistryTest, FindsActiveRunsOfATokenOrItsFamily) {
  Registry registry(4, kManyBytes);
  auto one = with_message("r1", "alice", "");
  auto two = with_message("r2", "alice", "");
  auto other = with_message("r3", "bob", "");
  for (const auto& run : {one, two, other}) registry.add(run);
  EXPECT_EQ(registry.begun_by("alice", "family", "token-of-r2"), Registry::Runs{two});
  EXPECT_EQ(registry.begun_by("alice", "family", "").size(), 2u);
  EXPECT_TRUE(registry.begun_by("alice", "another", "").empty());
}

}  // namespace
}  // namespace tars::chat
