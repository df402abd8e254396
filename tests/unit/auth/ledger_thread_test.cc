#include "auth/ledger_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <new>
#include <thread>
#include <vector>

#include "../../support/temp_folder.h"
#include "auth_fixture.h"

namespace tars::auth {
namespace {

using namespace std::chrono_literals;
using Urgency = LedgerThread::Urgency;

class LedgerThreadTest : public ::testing::Test {
 protected:
  LedgerThread make(std::size_t capacity) {
    return LedgerThread(Ledger::open(":memory:"), {}, {.capacity = capacity}, dead_, clock_);
  }
  // Holds the writer thread until `release_` is set.
  LedgerTask blocker() {
    return {[this](Ledger&) -> Result<LedgerTask::Completion> {
              entered_.set_value();
              release_.get_future().wait();
              return LedgerTask::Completion();
            },
            {}};
  }
  ManualClock clock_;
  DeadTokens dead_;
  std::promise<void> entered_;
  std::promise<void> release_;
};

TEST_F(LedgerThreadTest, CompletesInOrderAfterTheCommit) {
  std::vector<int> order;
  {
    LedgerThread thread = make(100);
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(thread.submit({[&order, i](Ledger&) -> Result<LedgerTask::Completion> {
                                   return LedgerTask::Completion(
                                       [&order, i] { order.push_back(i); });
                                 },
                                 {}},
                                Urgency::soon));
    }
    thread.shutdown();
  }
  EXPECT_THAT(order, ::testing::ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(LedgerThreadTest, AFullQueueRefusesAtOnce) {
  LedgerThread thread = make(2);
  ASSERT_TRUE(thread.submit(blocker(), Urgency::now));
  entered_.get_future().wait();
  const auto idle = [](Ledger&) -> Result<LedgerTask::Completion> {
    return LedgerTask::Completion();
  };
  ASSERT_TRUE(thread.submit({idle, {}}, Urgency::soon));
  ASSERT_TRUE(thread.submit({idle, {}}, Urgency::now));
  const auto refused = thread.submit({idle, {}}, Urgency::now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::overloaded);
  EXPECT_TRUE(refused.error().retry_after);
  release_.set_value();
}

TEST_F(LedgerThreadTest, OneFailureUndoesItsBatchAndIsRemembered) {
  LedgerThread thread = make(100);
  std::promise<std::string> first;
  std::promise<std::string> second;
  ASSERT_TRUE(thread.submit(blocker(), Urgency::now));
  entered_.get_future().wait();  // so that the next two come in one batch
  ASSERT_TRUE(thread.submit({[](Ledger& ledger) -> Result<LedgerTask::Completion> {
                               if (auto done = ledger.end_token("kept?", 5000, std::nullopt); !done)
                                 return done.error();
                               return LedgerTask::Completion();
                             },
                             [&](const Error& error) { first.set_value(error.message); }},
                            Urgency::soon));
  ASSERT_TRUE(thread.submit({[](Ledger&) -> Result<LedgerTask::Completion> {
                               return make_error(ErrorCode::store_unavailable, "the disk is full");
                             },
                             [&](const Error& error) { second.set_value(error.message); }},
                            Urgency::now));
  release_.set_value();
  EXPECT_EQ(second.get_future().get(), "the disk is full");
  EXPECT_EQ(first.get_future().get(), "the disk is full");
  EXPECT_EQ(thread.status().error().message, "the disk is full");
  std::promise<bool> found;
  ASSERT_TRUE(thread.submit({[&](Ledger& ledger) -> Result<LedgerTask::Completion> {
                               const bool there = ledger.death_of("kept?").value().has_value();
                               return LedgerTask::Completion(
                                   [&, there] { found.set_value(there); });
                             },
                             {}},
                            Urgency::now));
  EXPECT_FALSE(found.get_future().get());
  EXPECT_TRUE(thread.status()) << "a good write ends the failure";
}

// A trigger stands for the full disk, from which one can still read.
TEST_F(LedgerThreadTest, AFaultFailsItsTransactionAlone) {
  LedgerThread thread = make(10);
  std::promise<Error> failed;
  ASSERT_TRUE(
      thread.submit({[](Ledger&) -> Result<LedgerTask::Completion> { throw std::bad_alloc(); },
                     [&](const Error& error) { failed.set_value(error); }},
                    Urgency::now));
  EXPECT_EQ(failed.get_future().get().code, ErrorCode::store_unavailable);
  std::promise<void> done;
  ASSERT_TRUE(thread.submit({[&](Ledger&) -> Result<LedgerTask::Completion> {
                               return LedgerTask::Completion([&] { done.set_value(); });
                             },
                             {}},
                            Urgency::now));
  done.get_future().wait();
}

TEST_F(LedgerThreadTest, AReadDoesNotEndTheFailure) {
  const TempFolder folder;
  const auto path = folder.path() / "auth.db";
  LedgerThread thread(Ledger::open(path), {}, {}, dead_, clock_);
  std::vector<store::Migration> schema;  // it is there already
  for (int i = 1; i <= Ledger::newest_schema(); ++i) schema.push_back({i, ""});
  auto other = store::Database::open(path, store::Durability::process_crash, schema).value();
  ASSERT_TRUE(other.execute(
      "CREATE TRIGGER full BEFORE UPDATE ON pruned BEGIN SELECT RAISE(ABORT, 'full'); END"));
  const auto run = [&](const std::function<Result<void>(Ledger&)>& what) {
    std::promise<void> done;
    const LedgerTask task{[&](Ledger& ledger) -> Result<LedgerTask::Completion> {
                            if (auto result = what(ledger); !result) return result.error();
                            return LedgerTask::Completion([&] { done.set_value(); });
                          },
                          [&](const Error&) { done.set_value(); }};
    ASSERT_TRUE(thread.submit(task, Urgency::now));
    done.get_future().wait();
  };
  const auto read = [](Ledger& ledger) -> Result<void> {
    if (auto death = ledger.death_of("tok"); !death) return death.error();
    return {};
  };
  run([](Ledger& ledger) { return ledger.probe(); });
  EXPECT_FALSE(thread.status());
  run(read);
  EXPECT_FALSE(thread.status()) << "nothing was written";
  ASSERT_TRUE(other.execute("DROP TRIGGER full"));
  run(read);
  EXPECT_TRUE(thread.status()) << "a load of reads alone lets it be tried, too";
}

TEST_F(LedgerThreadTest, TriesAtTheStartWhetherItCanWrite) {
  const TempFolder folder;
  const auto path = folder.path() / "auth.db";
  auto ledger = Ledger::open(path);
  std::vector<store::Migration> schema;  // it is there already
  for (int i = 1; i <= Ledger::newest_schema(); ++i) schema.push_back({i, ""});
  auto other = store::Database::open(path, store::Durability::process_crash, schema).value();
  ASSERT_TRUE(other.execute(
      "CREATE TRIGGER full BEFORE UPDATE ON pruned BEGIN SELECT RAISE(ABORT, 'full'); END"));
  LedgerThread thread(std::move(ledger), {}, {}, dead_, clock_);
  while (thread.status()) std::this_thread::sleep_for(10ms);
  EXPECT_THAT(thread.status().error().message, ::testing::HasSubstr("full"));
}

TEST_F(LedgerThreadTest, APromiseIsKeptOnceWritesSucceedAgainAndNoNewOneIsMade) {
  LedgerThread thread = make(100);
  std::atomic<int> runs{0};
  const LedgerTask promise{[&](Ledger&) -> Result<LedgerTask::Completion> {
                             ++runs;
                             return LedgerTask::Completion();
                           },
                           {},
                           true};
  std::promise<void> failed;
  ASSERT_TRUE(thread.submit(blocker(), Urgency::now));
  entered_.get_future().wait();
  ASSERT_TRUE(thread.submit(promise, Urgency::soon));
  ASSERT_TRUE(thread.submit({[](Ledger&) -> Result<LedgerTask::Completion> {
                               return make_error(ErrorCode::store_unavailable, "the disk is full");
                             },
                             [&](const Error&) { failed.set_value(); }},
                            Urgency::now));
  release_.set_value();
  failed.get_future().wait();
  const auto refused = thread.submit(promise, Urgency::soon);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::store_unavailable);
  EXPECT_EQ(runs, 1);
  for (int i = 0; i < 1000 && runs < 2; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(runs, 2) << "the transaction that failed undid it";
  EXPECT_TRUE(thread.status());
  EXPECT_TRUE(thread.submit(promise, Urgency::now));
  thread.shutdown();
  EXPECT_EQ(runs, 3);
}

// As on a full disk whose log has room for a page yet: what was written again and again would be
// noted as well and as failed, in turn.
TEST_F(LedgerThreadTest, WhileAPromiseCannotBeKeptWritesDoNotSucceed) {
  LedgerThread thread = make(100);
  std::atomic<bool> is_full{true};
  std::atomic<int> runs{0};
  ::testing::internal::CaptureStderr();
  ASSERT_TRUE(thread.submit({[&](Ledger&) -> Result<LedgerTask::Completion> {
                               ++runs;
                               if (is_full) {
                                 return make_error(ErrorCode::store_unavailable,
                                                   "the disk is full");
                               }
                               return LedgerTask::Completion();
                             },
                             {},
                             true},
                            Urgency::now));
  for (int i = 0; i < 1000 && runs < 3; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_GE(runs, 3);
  EXPECT_FALSE(thread.status());
  std::promise<void> written;
  ASSERT_TRUE(thread.submit({[&](Ledger& ledger) -> Result<LedgerTask::Completion> {
                               if (auto done = ledger.end_token("t", 5000, std::nullopt); !done) {
                                 return done.error();
                               }
                               return LedgerTask::Completion([&] { written.set_value(); });
                             },
                             {}},
                            Urgency::now));
  written.get_future().wait();
  EXPECT_FALSE(thread.status()) << "another may have found room";
  is_full = false;
  for (int i = 0; i < 1000 && !thread.status(); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(thread.status());
  thread.shutdown();
  const std::string log = ::testing::internal::GetCapturedStderr();
  ASSERT_NE(log.find("cannot be stored"), std::string::npos);
  EXPECT_EQ(log.find("cannot be stored"), log.rfind("cannot be stored")) << log;
}

TEST_F(LedgerThreadTest, APromiseIsKeptUnderALoadThatNeverPauses) {
  std::atomic<int> kept{0};
  std::atomic<bool> more{true};
  std::function<void()> load;
  LedgerThread thread = make(100);
  load = [&] {
    if (!more) return;
    EXPECT_TRUE(thread.submit({[&](Ledger&) -> Result<LedgerTask::Completion> {
                                 return LedgerTask::Completion([&] { load(); });
                               },
                               [&](const Error&) { load(); }},
                              Urgency::now));
  };
  ASSERT_TRUE(thread.submit(blocker(), Urgency::now));
  entered_.get_future().wait();
  ASSERT_TRUE(thread.submit({[&](Ledger&) -> Result<LedgerTask::Completion> {
                               return LedgerTask::Completion([&] { ++kept; });
                             },
                             {},
                             true},
                            Urgency::soon));
  ASSERT_TRUE(thread.submit({[](Ledger&) -> Result<LedgerTask::Completion> {
                               return make_error(ErrorCode::store_unavailable, "the disk is full");
                             },
                             [&](const Error&) { load(); }},
                            Urgency::now));
  release_.set_value();
  for (int i = 0; i < 500 && kept == 0; ++i) {
    std::this_thread::sleep_for(10ms);
    clock_.advance(1s);
  }
  EXPECT_EQ(kept, 1);
  more = false;
}

TEST_F(LedgerThreadTest, SaysSoWhenTheDiskHangs) {
  LedgerThread thread = make(100);
  ASSERT_TRUE(thread.submit(blocker(), Urgency::now));
  entered_.get_future().wait();
  clock_.advance(std::chrono::seconds(5));
  EXPECT_TRUE(thread.status()) << "the first one is written since 5 s";
  std::promise<void> second;
  ASSERT_TRUE(thread.submit(
      {[](Ledger&) -> Result<LedgerTask::Completion> { return LedgerTask::Completion(); }, {}},
      Urgency::now));
  ASSERT_TRUE(thread.submit({[&](Ledger&) -> Result<LedgerTask::Completion> {
                               return LedgerTask::Completion([&] { second.set_value(); });
                             },
                             {}},
                            Urgency::now));
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(thread.status().error().code, ErrorCode::store_unavailable);
  EXPECT_EQ(thread.status().error().message,
            "the disk with auth.db does not answer: a token request has waited 7 s");
  release_.set_value();
  second.get_future().wait();
  EXPECT_TRUE(thread.status());
  clock_.advance(std::chrono::hours(1));
  EXPECT_TRUE(thread.status()) << "nobody waits";
}

TEST_F(LedgerThreadTest, WithoutALedgerEveryTaskIsRefusedUntilItCanBeOpened) {
  const Error full = make_error(ErrorCode::store_unavailable, "the disk is full");
  const Error busy = make_error(ErrorCode::store_unavailable, "in use by another program");
  std::promise<void> tried_again;
  int tries = 0;
  LedgerThread thread(
      full,
      [&]() -> Result<Ledger> {
        if (++tries == 1) return busy;
        if (tries == 2) tried_again.set_value();
        if (tries == 2) release_.get_future().wait();
        return Ledger::open(":memory:");
      },
      {}, dead_, clock_);
  const LedgerTask idle{
      [](Ledger&) -> Result<LedgerTask::Completion> { return LedgerTask::Completion(); }, {}};
  EXPECT_EQ(thread.submit(idle, Urgency::now).error().message, full.message);
  tried_again.get_future().wait();
  EXPECT_EQ(thread.status().error().message, busy.message) << "the latest cause";
  EXPECT_EQ(thread.submit(idle, Urgency::now).error().message, busy.message);
  release_.set_value();
  while (!thread.status()) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(thread.submit(idle, Urgency::now));
}

TEST_F(LedgerThreadTest, TellsOnceOfAClockThatJumped) {
  LedgerThread thread = make(100);
  const auto look = [&] {
    std::promise<void> done;
    for (int i = 0; i < 2; ++i) {  // it looks behind each batch: the second comes after that
      ASSERT_TRUE(thread.submit({[&](Ledger&) -> Result<LedgerTask::Completion> {
                                   return LedgerTask::Completion([&] { done.set_value(); });
                                 },
                                 {}},
                                Urgency::now));
      done.get_future().wait();
      done = {};
    }
  };
  look();
  ::testing::internal::CaptureStderr();
  clock_.set_back(3600s);
  look();
  look();
  const std::string back = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(back, ::testing::HasSubstr("WARNING the clock was set back"));
  EXPECT_THAT(back, ::testing::HasSubstr("seconds=3600"));
  EXPECT_EQ(back.find("WARNING"), back.rfind("WARNING")) << back;
  ::testing::internal::CaptureStderr();
  clock_.set_ahead(3600s);
  look();
  clock_.set_ahead(30s);
  look();
  const std::string ahead = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(ahead, ::testing::HasSubstr("WARNING the clock went ahead"));
  EXPECT_EQ(ahead.find("WARNING"), ahead.rfind("WARNING")) << ahead;
}

TEST_F(LedgerThreadTest, PrunesWhenTheClockSaysSo) {
  LedgerThread thread = make(100);
  const auto end = [&](const char* id, std::int64_t expires) {
    std::promise<void> done;
    ASSERT_TRUE(thread.submit({[&](Ledger& ledger) -> Result<LedgerTask::Completion> {
                                 if (auto r = ledger.end_token(id, expires, std::nullopt); !r)
                                   return r.error();
                                 return LedgerTask::Completion([&] {
                                   dead_.add_token(id, expires);
                                   done.set_value();
                                 });
                               },
                               {}},
                              Urgency::now));
    done.get_future().wait();
  };
  const std::int64_t start = clock_.seconds();
  end("short", start + 10);
  end("long", start + 100'000);
  clock_.advance(std::chrono::hours(2));
  end("next", start + 100'000);
  thread.shutdown();
  EXPECT_FALSE(dead_.contains("", "short"));
  EXPECT_TRUE(dead_.contains("", "long"));
  EXPECT_EQ(dead_.pruned_until(), start + 11) << "behind what was forgotten";
}

}  // namespace
}  // namespace tars::auth
