#include "chat/mailbox.h"

#include <gtest/gtest.h>

#include <thread>

#include "chat_fixture.h"

namespace tars::chat {
namespace {

constexpr std::chrono::hours kLong{1};
constexpr std::chrono::seconds kNone{0};

Command submit(const std::string& client, const std::string& content) {
  return SubmitCommand{testing::chat_request(client, content), [] {}, [](auto) {}};
}

TEST(MailboxTest, GivesOneCommandAtATimeInOrder) {
  Mailbox mailbox(8);
  for (const char* content : {"1", "2"}) {
    Command command = submit("alice", content);
    ASSERT_TRUE(mailbox.push(command));
  }
  auto work = mailbox.take(kLong);
  EXPECT_EQ(std::get<SubmitCommand>(*work.command).request.content, "1");
  work = mailbox.take(kLong);
  EXPECT_EQ(std::get<SubmitCommand>(*work.command).request.content, "2");
  EXPECT_FALSE(mailbox.take(kNone).command);
}

TEST(MailboxTest, ClientsTakeTurns) {
  Mailbox mailbox(8);
  for (const char* content : {"a1", "a2", "a3", "b1", "c1", "b2"}) {
    Command command = submit(std::string(1, content[0]), content);
    ASSERT_TRUE(mailbox.push(command));
  }
  std::string taken;
  const auto take = [&] {
    taken += std::get<SubmitCommand>(*mailbox.take(kLong).command).request.content + " ";
  };
  take();
  take();
  Command command = submit("d", "d1");
  ASSERT_TRUE(mailbox.push(command));
  for (int i = 0; i < 5; ++i) take();
  EXPECT_EQ(taken, "a1 b1 c1 a2 b2 d1 a3 ");
  EXPECT_FALSE(mailbox.take(kNone).command);
}

TEST(MailboxTest, RefusesWhenFullAndLeavesTheCommandWhole) {
  Mailbox mailbox(1);
  Command first = submit("alice", "1");
  Command second = submit("alice", "2");
  EXPECT_TRUE(mailbox.push(first));
  EXPECT_FALSE(mailbox.push(second));
  EXPECT_EQ(std::get<SubmitCommand>(second).request.content, "2");
}

TEST(MailboxTest, CloseGivesBackWhatWasLeft) {
  Mailbox mailbox(8);
  Command command = submit("alice", "1");
  ASSERT_TRUE(mailbox.push(command));
  EXPECT_EQ(mailbox.close().size(), 1u);
  command = submit("alice", "2");
  EXPECT_FALSE(mailbox.push(command));
  EXPECT_FALSE(mailbox.take(kNone).command);
}

TEST(MailboxTest, AnEndedRunAndANudgeEndTheWait) {
  Mailbox mailbox(8);
  auto run = testing::live_run("r");
  std::thread other([&] { mailbox.ended(run); });
  auto work = mailbox.take(kLong);
  other.join();
  EXPECT_EQ(work.ended.size(), 1u);
  mailbox.nudge();
  EXPECT_TRUE(mailbox.take(kLong).ended.empty());
}

TEST(MailboxTest, MarksSubmitsOfARevokedToken) {
  Mailbox mailbox(8);
  for (const char* client : {"alice", "bob", "alice"}) {
    Command command = submit(client, "x");
    ASSERT_TRUE(mailbox.push(command));
  }
  EXPECT_FALSE(mailbox.in_hand_revoked());
  mailbox.revoke("alice", "family", "another token");
  auto work = mailbox.take(kLong);
  EXPECT_FALSE(mailbox.in_hand_revoked());
  mailbox.revoke("alice", "family", "token");
  EXPECT_TRUE(mailbox.in_hand_revoked()) << "while it is handled";
  work = mailbox.take(kLong);
  EXPECT_FALSE(mailbox.in_hand_revoked()) << "bob's";
  work = mailbox.take(kLong);
  EXPECT_TRUE(mailbox.in_hand_revoked()) << "while it waited";
  work = mailbox.take(kNone);
  EXPECT_FALSE(mailbox.in_hand_revoked());
}

}  // namespace
}  // namespace tars::chat
