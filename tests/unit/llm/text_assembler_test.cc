#include "llm/text_assembler.h"

#include <gtest/gtest.h>

#include <random>

#include "base/utf8.h"

namespace tars::llm {
namespace {

std::string assemble(const std::vector<std::string>& pieces, std::vector<std::string> stops,
                     bool* stopped = nullptr) {
  TextAssembler assembler(std::move(stops));
  std::string text;
  for (const std::string& piece : pieces) text += assembler.push(piece);
  text += assembler.finish();
  if (stopped != nullptr) *stopped = assembler.stopped();
  return text;
}

TEST(TextAssembler, PassesPlainTextAtOnce) {
  TextAssembler assembler;
  EXPECT_EQ(assembler.push("Hello"), "Hello");
  EXPECT_EQ(assembler.push(" world"), " world");
  EXPECT_EQ(assembler.finish(), "");
}

TEST(TextAssembler, HoldsAnUnfinishedCharacter) {
  TextAssembler assembler;
  EXPECT_EQ(assembler.push("a\xF0\x9F"), "a");
  EXPECT_EQ(assembler.push("\x9A"), "");
  EXPECT_EQ(assembler.push("\x80!"), "\xF0\x9F\x9A\x80!");
}

TEST(TextAssembler, LeavesOutACharacterThatNeverEnds) {
  EXPECT_EQ(assemble({"a\xF0\x9F"}, {}), "a");
}

TEST(TextAssembler, ReplacesIllFormedBytes) {
  EXPECT_EQ(assemble({"a\xFF", "b"}, {}),
            "a\xEF\xBF\xBD"
            "b");
}

TEST(TextAssembler, HoldsWhatMayBecomeAStop) {
  TextAssembler assembler({"STOP"});
  EXPECT_EQ(assembler.push("a ST"), "a ");
  EXPECT_EQ(assembler.push("AR"), "STAR");
  EXPECT_EQ(assembler.push("S"), "");
  EXPECT_EQ(assembler.push("TOP more"), "");
  EXPECT_TRUE(assembler.stopped());
  EXPECT_EQ(assembler.push("x"), "");
  EXPECT_EQ(assembler.finish(), "");
}

TEST(TextAssembler, GivesHeldTextAtTheEnd) {
  bool stopped = true;
  EXPECT_EQ(assemble({"a ST"}, {"STOP"}, &stopped), "a ST");
  EXPECT_FALSE(stopped);
}

TEST(TextAssembler, TheStopThatEndsFirstWins) {
  EXPECT_EQ(assemble({"xabc"}, {"abc", "b"}), "xa");
  EXPECT_EQ(assemble({"xabc"}, {"c", "abc"}), "x");
}

TEST(TextAssembler, FindsARepeatingStop) { EXPECT_EQ(assemble({"aaa", "ab"}, {"aab"}), "aa"); }

TEST(TextAssembler, IgnoresAnEmptyStop) { EXPECT_EQ(assemble({"abc"}, {""}), "abc"); }

TEST(TextAssembler, AnySplitGivesTheSameText) {
  std::mt19937 random(7);
  const std::vector<std::string> atoms{"a",  "b",  "ab",   "\n\n",     "é",
                                       "漢", "🚀", "\xFF", "\xE6\xBC", "\x80"};
  for (int round = 0; round < 2000; ++round) {
    std::string whole;
    const auto length = random() % 24;
    for (unsigned i = 0; i < length; ++i) whole += atoms[random() % atoms.size()];
    std::vector<std::string> stops;
    for (unsigned i = 0; i < random() % 4; ++i) {
      stops.push_back(atoms[random() % 7] + atoms[random() % 7]);
    }
    bool stopped_bytewise = false;
    bool stopped_split = false;
    std::vector<std::string> bytes;
    for (const char c : whole) bytes.emplace_back(1, c);
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < whole.size();) {
      const std::size_t n = 1 + random() % 5;
      pieces.push_back(whole.substr(at, n));
      at += n;
    }
    const std::string expected = assemble(bytes, stops, &stopped_bytewise);
    EXPECT_EQ(assemble(pieces, stops, &stopped_split), expected);
    EXPECT_EQ(stopped_split, stopped_bytewise);
    EXPECT_TRUE(is_valid_utf8(expected));
    for (const std::string& stop : stops) EXPECT_EQ(expected.find(stop), std::string::npos);
  }
}

}  // namespace
}  // namespace tars::llm
