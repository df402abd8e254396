#include "chat/run.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "chat_fixture.h"

namespace tars::chat {
namespace {

using testing::complete;
using testing::run_info;

constexpr std::size_t kPlenty = 1 << 20;

SteadyTime at(int ms) { return SteadyTime(std::chrono::milliseconds(ms)); }

TEST(RunTest, ReadsFromAnyOffset) {
  chat::Run run(run_info("r"));
  run.append("Hel", at(1));
  run.append("lo", at(2));
  run.append(" you", at(3));
  EXPECT_EQ(run.read(0, kPlenty).text, "Hello you");
  const Slice rest = run.read(2, kPlenty);
  EXPECT_EQ(rest.text, " you");
  EXPECT_EQ(rest.first, 2u);
  EXPECT_EQ(rest.count, 1u);
  EXPECT_EQ(run.read(3, kPlenty).count, 0u);
  EXPECT_EQ(run.read(99, kPlenty).count, 0u);
}

TEST(RunTest, LimitsASliceButAlwaysGetsOn) {
  chat::Run run(run_info("r"));
  run.append("aa", at(1));
  run.append("bb", at(1));
  run.append("a long token", at(1));
  EXPECT_EQ(run.read(0, 4).count, 2u);
  EXPECT_EQ(run.read(0, 5).count, 2u);
  EXPECT_EQ(run.read(0, 1).text, "aa");
  EXPECT_EQ(run.read(2, 3).text, "a long token");
  EXPECT_EQ(run.read(0, 0).text, "aa");
}

TEST(RunTest, AtTheEndItsLogTakesNoMoreThanItHolds) {
  chat::Run run(run_info("r"));
  for (int i = 0; i < 1000; ++i) run.append("token", at(1));
  EXPECT_GE(run.memory(), 9000u);
  run.finish({});
  EXPECT_LE(run.memory(), 9200u);
  EXPECT_EQ(run.tokens(), 1000u);
}

TEST(RunTest, EmptyTokensWaitForTheirText) {
  chat::Run run(run_info("r"));
  run.append("a", at(1));
  run.append("", at(1));
  EXPECT_EQ(run.read(0, kPlenty).count, 1u);
  EXPECT_EQ(run.read(1, kPlenty).count, 0u);
  run.append("\xC3\xA4", at(1));
  const Slice slice = run.read(1, kPlenty);
  EXPECT_EQ(slice.text, "\xC3\xA4");
  EXPECT_EQ(slice.count, 2u);
}

TEST(RunTest, TheEndTakesTrailingEmptyTokensAlong) {
  chat::Run run(run_info("r"));
  run.append("a", at(1));
  run.append("", at(1));
  run.finish(complete());
  EXPECT_EQ(run.read(0, kPlenty).count, 2u);
  const Slice rest = run.read(1, kPlenty);
  EXPECT_EQ(rest.text, "");
  EXPECT_EQ(rest.count, 1u);
}

TEST(RunTest, RestBelongsToAnUnreadLastToken) {
  chat::Run run(run_info("r"));
  run.append("a", at(1));
  run.append("", at(1));
  run.append_rest("b");
  EXPECT_EQ(run.tokens(), 2u);
  EXPECT_EQ(run.read(1, kPlenty).text, "b");
}

TEST(RunTest, RestReachesAReaderThatHasTheLastToken) {
  chat::Run run(run_info("r"));
  run.append("a", at(1));
  ASSERT_EQ(run.read(0, kPlenty).count, 1u);
  run.append_rest("\nUs");
  EXPECT_EQ(run.read(1, kPlenty).text, "\nUs");
  EXPECT_EQ(run.tokens(), 2u);
}

TEST(RunTest, RestWithoutAnyTokenIsOne) {
  chat::Run run(run_info("r"));
  run.append_rest("x");
  EXPECT_EQ(run.tokens(), 1u);
  EXPECT_EQ(run.read(0, kPlenty).text, "x");
}

TEST(RunTest, FirstEndStandsAndNothingFollowsIt) {
  chat::Run run(run_info("r"));
  run.append("a", at(1));
  run.finish(complete("length"));
  run.finish(complete("stop"));
  run.append("b", at(1));
  run.append_rest("c");
  EXPECT_EQ(run.outcome()->finish_reason, "length");
  EXPECT_EQ(run.status(), RunStatus::complete);
  EXPECT_TRUE(run.has_ended());
  EXPECT_EQ(run.text(), "a");
}

TEST(RunTest, FinishFillsInWhatTheLogKnows) {
  RunInfo info = run_info("r");
  info.submitted_at = at(1000);
  chat::Run run(info);
  run.start(12, 5);
  EXPECT_EQ(run.status(), RunStatus::running);
  EXPECT_FALSE(run.has_ended());
  for (int i = 0; i < 11; ++i) run.append("x", at(1100 + 10 * i));
  run.finish(complete());
  EXPECT_EQ(run.outcome()->prompt_tokens, 12);
  EXPECT_EQ(run.outcome()->cached_tokens, 5);
  EXPECT_DOUBLE_EQ(run.outcome()->ttft_ms, 100);
  EXPECT_DOUBLE_EQ(run.outcome()->tokens_per_second, 100);
}

TEST(RunTest, PositionTellsAChange) {
  chat::Run run(run_info("r"));
  EXPECT_TRUE(run.set_position(2));
  EXPECT_FALSE(run.set_position(2));
  EXPECT_EQ(run.position(), 2);
  run.start(1, 0);
  EXPECT_EQ(run.position(), 0);
}

TEST(RunTest, WakesEachFollowerOnceUntilItLeaves) {
  chat::Run run(run_info("r"));
  int first = 0;
  int second = 0;
  const auto one = run.follow([&] { ++first; });
  run.follow([&] { ++second; });
  EXPECT_EQ(run.followers(), 2u);
  run.wake();
  EXPECT_EQ(run.unfollow(one), 1u);
  run.wake();
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
  EXPECT_EQ(run.unfollow(one), 1u);
}

TEST(RunTest, LengthsAddUpToTheText) {
  chat::Run run(run_info("r"));
  run.append("ab", at(1));
  run.append("", at(1));
  run.append("cde", at(1));
  EXPECT_EQ(run.lengths(0, 3), (std::vector<std::uint32_t>{2, 0, 3}));
  EXPECT_EQ(run.lengths(2, 9), (std::vector<std::uint32_t>{3}));
  EXPECT_TRUE(run.lengths(3, 1).empty());
}

// Whatever the tokens and however a reader reads, while the writer writes, it gets the text.
TEST(RunTest, AnyReadsConcatenateToTheText) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    chat::Run run(run_info("r"));
    const std::size_t tokens = random() % 30;
    std::size_t written = 0;
    std::string got;
    std::size_t offset = 0;
    bool ended = false;
    while (true) {
      if (random() % 2 == 0 && !ended) {
        if (written < tokens) {
          run.append(std::string(random() % 4, static_cast<char>('a' + written % 26)), at(1));
          ++written;
        } else {
          run.append_rest(std::string(random() % 3, 'Z'));
          run.finish(complete());
          ended = true;
        }
      }
      const Slice slice = run.read(offset, random() % 8);
      ASSERT_EQ(slice.first, offset);
      got += slice.text;
      offset += slice.count;
      if (!ended) {
        ASSERT_TRUE(slice.count == 0 || !slice.text.empty());
      }
      if (ended && slice.count == 0) break;
    }
    ASSERT_EQ(got, run.text()) << "seed " << seed;
    ASSERT_EQ(offset, run.tokens()) << "seed " << seed;
  }
}

TEST(RunTest, ReadersOnOtherThreadsMissNothing) {
  chat::Run run(run_info("r"));
  std::vector<std::string> got(3);
  std::vector<std::thread> readers;
  for (auto& text : got) {
    readers.emplace_back([&run, &text] {
      testing::Waker waker;
      const auto id = run.follow(waker.callback());
      std::size_t offset = 0;
      waker.wait_until([&] {
        const bool ended = run.outcome().has_value();
        const Slice slice = run.read(offset, 64);
        text += slice.text;
        offset += slice.count;
        if (slice.count > 0) run.wake();
        return ended && slice.count == 0;
      });
      run.unfollow(id);
    });
  }
  for (int i = 0; i < 500; ++i) {
    run.append(std::to_string(i), at(i));
    run.wake();
  }
  run.finish(complete());
  run.wake();
  for (auto& reader : readers) reader.join();
  for (const auto& text : got) EXPECT_EQ(text, run.text());
}

}  // namespace
}  // namespace tars::chat
