#include "llm/llama/answer_text.h"

#include <gtest/gtest.h>

namespace tars::llm {
namespace {

const ThoughtMarks kThink{.opening = "<think>", .closing = "</think>", .spelt = true};

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

TEST(AnswerText, ATokenTellsAThoughtFromItsName) {
  const ThoughtMarks tokens{.opening = "<think>", .closing = "</think>"};
  AnswerText spoken({});
  spoken.set_thoughts(tokens, false);
  EXPECT_EQ(spoken.push("<think> is the tag."), "<think> is the tag.");
  AnswerText thought({});
  thought.set_thoughts(tokens, false);
  EXPECT_EQ(thought.push("<think>", true), "");
  EXPECT_TRUE(thought.hides());
}

TEST(AnswerText, AThoughtWithoutEndIsTheAnswerOfAModelThatEndedByItself) {
  for (const bool by_itself : {true, false}) {
    AnswerText text({});
    text.set_thoughts(kThink, false);
    EXPECT_EQ(text.push("<think> is the tag."), "");
    EXPECT_EQ(text.finish(by_itself), by_itself ? "<think> is the tag." : "");
  }
}

TEST(AnswerText, WithoutThoughtsItIsTheText) {
  AnswerText text({});
  EXPECT_EQ(text.push("<think>a"), "<think>a");
  EXPECT_FALSE(text.hides());
  EXPECT_EQ(text.finish(), "");
}

}  // namespace
}  // namespace tars::llm
