#include <gtest/gtest.h>

#include "chat/chat_engine.h"
#include "chat/schema.h"
#include "engine_fixture.h"

namespace tars::chat {
namespace {

class CommandsTest : public testing::EngineTest {};

TEST_F(CommandsTest, AnswersAndRemembersTheConversation) {
  options_.system_prompt = "Be brief.";
  open();
  auto first = chat("alice", "hi", "c1");
  auto generation = backend_->generation(0);
  generation->say("hel");
  generation->say("lo");
  backend_->finish(*generation, llm::FinishReason::stop);
  EXPECT_EQ(end_of(*first).finish_reason, "stop");
  EXPECT_EQ(first->run().read(0, 99).text, "hello");
  auto second = chat("alice", "again", "c1");
  const auto request = backend_->generation(1)->request;
  ASSERT_EQ(request.messages.size(), 4u);
  EXPECT_EQ(request.messages[0].role, llm::Role::system);
  EXPECT_EQ(request.messages[1].content, "hi");
  EXPECT_EQ(request.messages[2].content, "hello");
  EXPECT_EQ(request.messages[3].content, "again");
  EXPECT_EQ(request.cache_key, generation->request.cache_key);
  auto other = chat("bob", "hi", "c1");
  EXPECT_EQ(backend_->generation(2)->request.messages.size(), 2u)
      << "another client's conversation";
  EXPECT_NE(backend_->generation(2)->request.cache_key, request.cache_key);
}

TEST_F(CommandsTest, AMessageWithoutAnIdGetsOneThatFindsItsRun) {
  open();
  auto one = chat("alice", "hi");
  auto two = chat("alice", "hi");
  const std::string id = one->run().info().message_id;
  EXPECT_FALSE(id.empty());
  EXPECT_NE(two->run().info().message_id, id);
  auto again = follow_message("alice", id);
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->run().info().id, one->run().info().id);
}

TEST_F(CommandsTest, WithoutAnIdEachChatIsAConversation) {
  open();
  auto one = chat("alice", "hi");
  auto two = chat("alice", "hi");
  EXPECT_NE(one->run().info().conversation_id, two->run().info().conversation_id);
  EXPECT_EQ(backend_->begun(), 2u);
}

TEST_F(CommandsTest, TheSameMessageAttachesAlsoWhenEnded) {
  open();
  auto first = chat("alice", "hi", {}, "m1");
  auto again = submit([] {
    auto request = testing::chat_request("alice", "hi");
    request.message_id = "m1";
    return request;
  }());
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->run().info().id, first->run().info().id);
  backend_->fail(*backend_->generation(0), make_error(ErrorCode::generation_error, "broken"));
  auto third = chat("alice", "hi", {}, "m1");
  EXPECT_EQ(third->run().status(), RunStatus::failed);
  EXPECT_EQ(backend_->begun(), 1u);
  auto bob = chat("bob", "hi", {}, "m1");
  EXPECT_NE(bob->run().info().id, first->run().info().id);
}

TEST_F(CommandsTest, TheSameMessageWithAnotherContentIsRefused) {
  open();
  auto first = chat("alice", "hi", {}, "m1");
  auto request = testing::chat_request("alice", "something else");
  request.message_id = "m1";
  auto refused = submit(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_message);
  engine_->drain();
  reopen();
  refused = submit(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_message);
}

TEST_F(CommandsTest, LimitsRefuseAndStoreNothingButNeverARetry) {
  options_.running_per_client = 1;
  options_.waiting_per_client = 1;
  open();
  auto running = chat("alice", "one", {}, "m1");
  auto waiting = chat("alice", "two", {}, "m2");
  auto request = testing::chat_request("alice", "three");
  request.message_id = "m3";
  auto refused = submit(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::overloaded);
  EXPECT_TRUE(refused.error().retry_after);
  auto retry = chat("alice", "two", {}, "m2");
  EXPECT_EQ(retry->run().info().id, waiting->run().info().id);
  EXPECT_EQ(engine_->counts().running, 1u);
  EXPECT_EQ(engine_->counts().waiting, 1u);
  EXPECT_TRUE(engine_->shutdown());
  auto repository = Repository::open(database());
  EXPECT_FALSE(*repository->find_message("alice", "m3"));
  EXPECT_TRUE(*repository->find_message("alice", "m2"));
}

TEST_F(CommandsTest, ARefusalAtOnceIsTheFailureOfItsMessage) {
  open();
  backend_->refuse(make_error(ErrorCode::model_not_found, "no such model"));
  auto request = testing::chat_request("alice", "hi");
  request.message_id = "m1";
  auto refused = submit(request);
  ASSERT_TRUE(refused);
  EXPECT_EQ(end_of(**refused).error->code, ErrorCode::model_not_found);
  backend_->refuse({});
  auto again = submit(request);
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->run().info().id, (*refused)->run().info().id);
  EXPECT_EQ(backend_->begun(), 0u);
  request.message_id = "m2";
  ASSERT_TRUE(submit(request));
  EXPECT_EQ(engine_->counts().running, 1u) << "the failed one has left its place";
}

TEST_F(CommandsTest, FollowFindsOnlyTheClientsOwn) {
  open();
  auto mine = chat("alice", "hi");
  const std::string id = mine->run().info().id;
  EXPECT_TRUE(follow("alice", id));
  for (const auto& [client, run] :
       {std::pair<std::string, std::string>{"bob", id}, {"alice", "run_x"}}) {
    auto unknown = follow(client, run);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::run_not_found);
  }
}

TEST_F(CommandsTest, FollowFindsARunByItsMessageAlsoAfterARestart) {
  open();
  auto mine = answered_hello({}, "m1");
  const std::string id = mine->run().info().id;
  auto found = follow_message("alice", "m1");
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)->run().info().id, id);
  mine.reset();
  found = make_error(ErrorCode::internal, "let go before the engine ends");
  reopen();
  found = follow_message("alice", "m1");
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)->run().info().id, id);
  EXPECT_EQ((*found)->run().text(), "hello");
  for (const auto& [client, message] :
       {std::pair<std::string, std::string>{"bob", "m1"}, {"alice", "m2"}}) {
    auto unknown = follow_message(client, message);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::run_not_found);
  }
}

TEST_F(CommandsTest, ReadersOfAStoredRunShareIt) {
  open();
  auto mine = answered_hello({}, "m1");
  const std::string id = mine->run().info().id;
  mine.reset();
  reopen();
  {
    const auto one = follow("alice", id);
    const auto two = follow_message("alice", "m1");
    const auto three = chat("alice", "hi", {}, "m1");
    ASSERT_TRUE(one && two);
    EXPECT_EQ(&(*one)->run(), &(*two)->run());
    EXPECT_EQ(&(*one)->run(), &three->run());
    EXPECT_FALSE(follow("bob", id));
  }
  const auto later = follow("alice", id);
  ASSERT_TRUE(later);
  EXPECT_EQ((*later)->run().text(), "hello");
}

TEST_F(CommandsTest, CancelByMessageConversationAndUnknownIds) {
  open();
  auto one = chat("alice", "1", "c1", "m1");
  auto two = chat("alice", "2", "c1");
  auto three = chat("alice", "3", "c3");
  CancelTarget target;
  target.message_id = "m1";
  EXPECT_FALSE(cancel("bob", target));
  EXPECT_TRUE(cancel("alice", target));
  EXPECT_EQ(one->run().status(), RunStatus::cancelled);
  EXPECT_FALSE(three->run().outcome());
  target = {};
  target.conversation_id = "c1";
  EXPECT_TRUE(cancel("alice", target));
  EXPECT_EQ(end_of(*two).status, RunStatus::cancelled);
  target.conversation_id = "no such";
  EXPECT_TRUE(cancel("alice", target));
  target = {};
  target.run_id = one->run().info().id;
  EXPECT_TRUE(cancel("alice", target)) << "one that has ended stays as it is";
  target.run_id = "run_x";
  auto unknown = cancel("alice", target);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::run_not_found);
}

TEST_F(CommandsTest, WhatCannotBeReadIsTroubleUntilItCan) {
  open();
  auto other = store::Database::open(database(), store::Durability::process_crash, schema());
  ASSERT_TRUE(other->execute("ALTER TABLE runs RENAME TO lost"));
  ChatRequest request = testing::chat_request("alice", "hi");
  request.message_id = "m1";
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) {
    const auto refused = submit(request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::store_unavailable);
  }
  settle();
  ASSERT_FALSE(engine_->check_store());
  EXPECT_EQ(engine_->check_store().error().code, ErrorCode::store_unavailable);
  clock_.advance(std::chrono::seconds(2));
  settle();
  EXPECT_FALSE(engine_->check_store()) << "what could be read or written meanwhile says nothing";
  ASSERT_TRUE(other->execute("ALTER TABLE lost RENAME TO runs"));
  clock_.advance(std::chrono::seconds(2));
  settle();
  EXPECT_TRUE(engine_->check_store());
  const std::string log = ::testing::internal::GetCapturedStderr();
  const std::string line = "ERROR the store of conversations cannot be read";
  EXPECT_NE(log.find(line), std::string::npos) << log;
  EXPECT_EQ(log.find(line), log.rfind(line)) << log;
  EXPECT_NE(log.find("INFO the store of conversations can be read again"), std::string::npos);
  EXPECT_TRUE(submit(request));
}

}  // namespace
}  // namespace tars::chat
