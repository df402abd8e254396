#include "chat/token_log.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace tars::chat {
namespace {

constexpr std::size_t kPlenty = 1 << 30;

// What a log says, by looking at one token after the other.
Slice expected_slice(const std::vector<std::string>& tokens, std::size_t offset,
                     std::size_t max_bytes, bool to_the_end) {
  Slice slice{.text = {}, .first = offset, .count = 0};
  if (offset >= tokens.size()) return slice;
  std::string text;
  for (std::size_t i = offset; i < tokens.size(); ++i) {
    text += tokens[i];
    if (tokens[i].empty()) continue;
    if (text.size() > max_bytes && slice.count > 0) return slice;
    slice.text = text;
    slice.count = i - offset + 1;
  }
  if (to_the_end) slice.count = tokens.size() - offset;
  return slice;
}

void expect_same(const Slice& slice, const Slice& expected) {
  EXPECT_EQ(slice.text, expected.text);
  EXPECT_EQ(slice.first, expected.first);
  EXPECT_EQ(slice.count, expected.count);
}

TEST(TokenLog, AnEmptyOneHasNothing) {
  const TokenLog log;
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(log.tokens(), 0u);
  EXPECT_EQ(log.memory(), 0u);
  EXPECT_FALSE(log.last_is_empty());
  EXPECT_EQ(log.text(), "");
  EXPECT_EQ(log.read(0, kPlenty, true).count, 0u);
  EXPECT_TRUE(log.lengths(0, 5).empty());
}

TEST(TokenLog, AnyPartOfItIsWhatWasAppended) {
  std::mt19937 random(7);
  for (int round = 0; round < 12; ++round) {
    TokenLog log;
    std::vector<std::string> tokens;
    const std::size_t count = round < 6 ? 1 + random() % 50 : 20'000;
    std::string all;
    for (std::size_t i = 0; i < count; ++i) {
      // Mostly short, now and then empty, rarely longer than a block.
      std::size_t size = random() % 4 == 0 ? 0 : random() % 12;
      if (random() % 1500 == 0) size = 40'000;
      tokens.emplace_back(size, static_cast<char>('a' + i % 26));
      log.append(tokens.back());
      all += tokens.back();
    }
    EXPECT_EQ(log.tokens(), count);
    EXPECT_EQ(log.text(), all);
    EXPECT_EQ(log.last_is_empty(), tokens.back().empty());
    for (int i = 0; i < 200; ++i) {
      const std::size_t offset = random() % (count + 2);
      const std::size_t limit = i % 5 == 0 ? kPlenty : random() % 20'000;
      const bool to_the_end = random() % 2 == 0;
      expect_same(log.read(offset, limit, to_the_end),
                  expected_slice(tokens, offset, limit, to_the_end));
      const std::size_t asked = random() % 6000;
      const auto lengths = log.lengths(offset, asked);
      ASSERT_EQ(lengths.size(), offset >= count ? 0 : std::min(asked, count - offset));
      for (std::size_t k = 0; k < lengths.size(); ++k) {
        ASSERT_EQ(lengths[k], tokens[offset + k].size());
      }
    }
  }
}

TEST(TokenLog, TheLastTokenGoesOnInItsOwnBlock) {
  TokenLog log;
  for (int i = 0; i < 4096; ++i) log.append("");
  EXPECT_TRUE(log.last_is_empty());
  log.extend_last("late");
  EXPECT_FALSE(log.last_is_empty());
  EXPECT_EQ(log.tokens(), 4096u);
  log.append("next");
  expect_same(log.read(4095, kPlenty, false), {.text = "latenext", .first = 4095, .count = 2});
}

TEST(TokenLog, TakesLittleMoreThanItHolds) {
  TokenLog log;
  for (int i = 0; i < 100'000; ++i) log.append("some token of text ");
  const std::size_t held = 100'000 * (19 + 4);
  EXPECT_LE(log.memory(), held + held / 20);
  log.shrink();
  EXPECT_GE(log.memory(), held);
  EXPECT_LE(log.memory(), held + held / 50);

  TokenLog small;
  small.append("Hello");
  EXPECT_LE(small.memory(), 200u);
}

}  // namespace
}  // namespace tars::chat
