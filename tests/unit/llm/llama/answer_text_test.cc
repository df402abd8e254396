#include "llm/llama/answer_text.h"

#include <gtest/gtest.h>

namespace tars::llm {
namespace {

const ThoughtMarks kThink{.opening = "<think>", .closing = "</think>"};

TEST(AnswerText, AThoughtOfAStopEndsNothing) {
  AnswerText text({"STOP"});
  text.set_thoughts(kThink, true);
  EXPECT_EQ(text.push("I could STOP here</think>"), "");
  EXPECT_TRUE(text.hides());
  EXPECT_FALSE(text.stopped());
  EXPECT_EQ(text.push("Hi STOP"), "Hi ");
  EXPECT_TRUE(text.stopped());
  EXPECT_EQ(text.finish(), "");
}

TEST(AnswerText, WhatWasHeldBackComesAtTheEnd) {
  AnswerText text({"STOP"});
  text.set_thoughts(kThink, false);
  EXPECT_EQ(text.push("  <th"), "");
  EXPECT_EQ(text.finish(), "  <th");
  AnswerText half({"<thSTOP"});
  half.set_thoughts(kThink, false);
  EXPECT_EQ(half.push("<th"), "");
  EXPECT_EQ(half.finish(), "<th");
}

TEST(AnswerText, WithoutThoughtsItIsTheText) {
  AnswerText text({});
  EXPECT_EQ(text.push("<think>a"), "<think>a");
  EXPECT_FALSE(text.hides());
  EXPECT_EQ(text.finish(), "");
}

}  // namespace
}  // namespace tars::llm
