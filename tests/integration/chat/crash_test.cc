// The server is killed in the middle of an answer: what was logged is there after the next start.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chat/schema.h"
#include "engine_fixture.h"
#include "store/database.h"

namespace tars::chat {
namespace {

class CrashTest : public testing::EngineTest {};

// The child's whole life: begin an answer, say where the store has it, wait to be killed.
[[noreturn]] void serve_until_killed(const std::filesystem::path& database, int ready) {
  SystemClock clock;
  telemetry::Metrics metrics;
  testing::ScriptedBackend backend;
  Options options;
  options.flush_interval = std::chrono::milliseconds(5);
  auto engine = Engine::open(database, options, backend, clock, metrics);
  if (!engine) ::_exit(1);
  testing::Promise<std::unique_ptr<Follower>> submitted;
  auto request = testing::chat_request("alice", "tell me");
  request.conversation_id = "c1";
  request.message_id = "m1";
  (*engine)->submit(
      std::move(request), [] {},
      [&](Result<std::unique_ptr<Follower>> result) {
        submitted.set(result ? *std::move(result) : nullptr);
      });
  const auto follower = submitted.take();
  if (!follower) ::_exit(1);
  for (const char* token : {"once ", "", "upon ", "a "}) backend.generation(0)->say(token);
  auto reader = store::Database::open(database, store::Durability::process_crash, schema());
  while (true) {
    if (!reader) ::_exit(1);
    auto row = reader->prepare("SELECT coalesce(sum(length(text)), 0) FROM run_log");
    if (!row || !row->step()) ::_exit(1);
    if (row->integer(0) == 12) break;
    ::usleep(1000);
  }
  backend.generation(0)->sink->on_token("not flushed");
  if (::write(ready, "r", 1) != 1) ::_exit(1);
  while (true) ::pause();
}

TEST_F(CrashTest, AKilledServersAnswerIsKeptAsFarAsItWasLogged) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  if (child == 0) serve_until_killed(database(), pipe[1]);
  ::close(pipe[1]);
  char ready = 0;
  EXPECT_EQ(::read(pipe[0], &ready, 1), 1);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(pipe[0]);
  ASSERT_TRUE(WIFSIGNALED(status));

  open();
  auto again = chat("alice", "tell me", "c1", "m1");
  ASSERT_TRUE(again);
  const chat::Run& run = again->run();
  EXPECT_EQ(run.status(), RunStatus::interrupted);
  EXPECT_EQ(run.outcome()->error->code, ErrorCode::history_lost);
  EXPECT_EQ(run.text().substr(0, 12), "once upon a ");
  EXPECT_EQ(run.read(2, 5).text, "upon ");
  EXPECT_EQ(backend_->begun(), 0u) << "it never generates twice";
  EXPECT_TRUE(follow("alice", run.info().id));
  EXPECT_TRUE(follow_message("alice", "m1"));

  auto next = chat("alice", "go on", "c1");
  const auto messages = backend_->generation(0)->request.messages;
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[0].content, "tell me");
  EXPECT_EQ(messages[1].content, run.text());
}

}  // namespace
}  // namespace tars::chat
