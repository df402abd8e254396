#include "llm/llama/long_runs.h"

#include <gtest/gtest.h>

#include <string>

#include "base/utf8.h"

namespace tars::llm {
namespace {

std::string joined(const std::vector<std::string_view>& pieces) {
  std::string out;
  for (const std::string_view piece : pieces) out += piece;
  return out;
}

std::string repeated(const std::string& unit, std::size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += unit;
  return out;
}

// Of the unit 32,000 bytes long: in whole characters, after `longest` bytes, without a loss.
void expect_cut(const std::string& unit, std::size_t longest) {
  const std::string text = "so: " + repeated(unit, 32'000) + " it ends";
  const auto pieces = cut_long_runs(text);
  EXPECT_GE(pieces.size(), 32'000 / longest) << unit;
  EXPECT_EQ(joined(pieces), text) << unit;
  for (const std::string_view piece : pieces) {
    EXPECT_LE(piece.size(), longest + 16) << unit;
    EXPECT_TRUE(is_valid_utf8(piece)) << unit;
  }
}

TEST(LongRuns, UsualTextIsOnePiece) {
  EXPECT_TRUE(cut_long_runs("").empty());
  EXPECT_EQ(cut_long_runs("Hello, world").size(), 1U);
  EXPECT_EQ(cut_long_runs(repeated("word ", 100'000)).size(), 1U);
  EXPECT_EQ(cut_long_runs(std::string(kLongestRun, 'a')).size(), 1U);
}

TEST(LongRuns, NoPieceHasARunThatIsLonger) {
  for (const char* unit : {"a", "!", " ", "7", "\xC3\xA9", "\xF0\x9F\x98\x80", "!\xE2\x80\xA6",
                           "a\xE6\x96\x87", "\n"}) {
    expect_cut(unit, kLongestRun);
  }
}

// The words of BLOOM's tokenizer are all but blanks and some punctuation.
TEST(LongRuns, NoPieceHasAWordThatIsLonger) {
  for (const char* unit : {"aB3+/", "a1", "x=\xC3\xA9", "-a", "9\xF0\x9F\x98\x80"}) {
    expect_cut(unit, kLongestWord);
  }
  EXPECT_EQ(cut_long_runs(repeated("a1", kLongestWord)).size(), 1U);
}

TEST(LongRuns, ARunIsCountedAnewAtASeam) {
  for (std::size_t length = kLongestRun - 3; length <= 2 * kLongestWord + 1; ++length) {
    std::string text = repeated("a-", length + 1);
    text.resize(length);
    text += "<|im_end|>";
    const auto pieces = cut_long_runs(text, {&length, 1});
    EXPECT_EQ(joined(pieces), text);
    EXPECT_TRUE(pieces.back().ends_with("<|im_end|>")) << length;
  }
  for (std::size_t dashes = kLongestRun - 3; dashes <= 2 * kLongestRun + 1; ++dashes) {
    const std::string text = std::string(dashes, '-') + "<|im_end|>";
    const std::size_t seam = dashes;
    const auto pieces = cut_long_runs(text, {&seam, 1});
    EXPECT_EQ(joined(pieces), text);
    EXPECT_TRUE(pieces.back().ends_with("<|im_end|>")) << dashes;
  }
}

TEST(LongRuns, BytesThatAreNoTextAreKept) {
  const std::string text = repeated("\x80", 10'000) + "a";
  EXPECT_EQ(joined(cut_long_runs(text)), text);
}

}  // namespace
}  // namespace tars::llm
