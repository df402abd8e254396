#include "llm/llama/thought_filter.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace tars::llm {
namespace {

const ThoughtMarks kThink{.opening = "<think>", .closing = "</think>"};
const ThoughtMarks kChannels{.channels = true};

std::string filtered(std::string_view text, std::size_t step, const ThoughtMarks& marks,
                     bool begins_with_thoughts = false) {
  ThoughtFilter filter(marks, begins_with_thoughts);
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += step) out += filter.push(text.substr(at, step));
  out += filter.finish();
  return out;
}

struct Case {
  const char* text;
  const char* shown;
};

void expect(const std::vector<Case>& cases, const ThoughtMarks& marks, bool begins = false) {
  for (const auto& [text, shown] : cases) {
    for (std::size_t step = 1; step < 60; ++step) {
      EXPECT_EQ(filtered(text, step, marks, begins), shown) << text << " by " << step;
    }
  }
}

TEST(ThoughtFilter, LeavesOutTheThoughtsAtTheBeginning) {
  expect({{"<think>\nHm.\n</think>\n\nParis.", "Paris."},
          {" \n<think></think> Paris. ", "Paris. "},
          {"<think>a</think>\n<think>b</think>c", "c"},
          {"<think>half </thin", ""},
          {"<think>no end", ""},
          {"<think>end</think>\n", ""}},
         kThink);
}

TEST(ThoughtFilter, TheTemplateMayHaveOpenedThem) {
  expect({{"Hm. <think>?\n</think>\n\nParis.", "Paris."}, {"no end", ""}}, kThink, true);
}

TEST(ThoughtFilter, AnAnswerStaysAsItIs) {
  expect({{"Paris.", "Paris."},
          {"  Paris.", "  Paris."},
          {"<thinner> hair", "<thinner> hair"},
          {" <thin", " <thin"},
          {"", ""},
          {"\n\n", "\n\n"},
          {"Say <think>it</think>.", "Say <think>it</think>."},
          {"<think>x</think>Say <think>it</think>.", "Say <think>it</think>."}},
         kThink);
  expect({{"<think>x</think> <|channel|>analysis<|message|>y",
           "<think>x</think> <|channel|>analysis<|message|>y"}},
         {});
}

TEST(ThoughtFilter, ShowsTheChannelsThatAreForTheUser) {
  expect(
      {{"<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hi!",
        "Hi!"},
       {"<|channel|>final <|constrain|>json<|message|>{}", "{}"},
       {"<|channel|>commentary<|message|>I look.<|end|><|start|>assistant<|channel|>commentary "
        "to=functions.x <|constrain|>json<|message|>{}<|end|><|start|>assistant<|channel|>final"
        "<|message|>Here.",
        "I look.\n\nHere."},
       {"<|start|>assistant to=functions.x<|channel|>commentary<|message|>{}", ""},
       {"<|start|>assistant<|message|>Hi!<|end|>", "Hi!"},
       {"<|channel|>analysis<|message|>Hm.", ""},
       {"<|channel|>ana", ""},
       {"No channels at all <|chan", "No channels at all <|chan"}},
      kChannels);
}

TEST(ThoughtFilter, ALongHeaderIsNoFault) {
  const std::string header = "<|channel|>" + std::string(100'000, 'x');
  EXPECT_EQ(filtered(header + "<|message|>a<|channel|>final<|message|>b", 7, kChannels), "b");
}

TEST(ThoughtFilter, TellsWhileItHides) {
  ThoughtFilter filter(kThink);
  EXPECT_FALSE(filter.hides());
  filter.push("<think>");
  EXPECT_TRUE(filter.hides());
  filter.push("so</think>");
  filter.push("\n\n");
  EXPECT_TRUE(filter.hides()) << "blanks before the answer are none of it";
  EXPECT_EQ(filter.push("Yes"), "Yes");
  EXPECT_FALSE(filter.hides());
}

TEST(ThoughtFilter, AnySplitGivesTheSameText) {
  std::mt19937 random(7);
  const std::vector<std::string> atoms{
      "<think>",   "</think>",    " ",         "\n",      "<",      "a",         "think>",
      "<|start|>", "<|channel|>", "analysis",  "final",   " to=x",  "assistant", "<|message|>",
      "<|end|>",   "<|",          "<|channel", "</think", "<|end|", "é",         "commentary"};
  for (int round = 0; round < 20'000; ++round) {
    std::string whole;
    for (unsigned i = 0; i < random() % 12; ++i) whole += atoms[random() % atoms.size()];
    const ThoughtMarks& marks = random() % 2 == 0 ? kThink : kChannels;
    const bool begins = random() % 2 == 0;
    const std::string expected = filtered(whole, 1, marks, begins);
    EXPECT_EQ(filtered(whole, 1000, marks, begins), expected) << whole;
    EXPECT_EQ(filtered(whole, 2 + random() % 9, marks, begins), expected) << whole;
    if (marks.channels) {
      EXPECT_EQ(expected.find("<|channel|>"), std::string::npos);
    }
  }
}

TEST(ThoughtMarks, AreThoseThatTheModelHas) {
  const std::set<std::string_view> harmony{"<|channel|>", "<|message|>", "<|start|>"};
  const auto none = [](std::string_view) { return false; };
  EXPECT_TRUE(find_thought_marks("", [&](auto text) { return harmony.contains(text); }).channels);
  EXPECT_EQ(find_thought_marks("{{ content.split('</think>') }}", none).opening, "<think>");
  const auto mistral = find_thought_marks("", [](auto text) { return text == "[/THINK]"; });
  EXPECT_EQ(mistral.opening, "[THINK]");
  const auto plain = find_thought_marks("{{ content }}", none);
  EXPECT_FALSE(plain.channels);
  EXPECT_EQ(plain.opening, "");
}

TEST(ThoughtMarks, MayEndThePrompt) {
  EXPECT_TRUE(opens_thoughts(kThink, "<|im_start|>assistant\n<think>\n"));
  EXPECT_FALSE(opens_thoughts(kThink, "<|im_start|>assistant\n<think>\n\n</think>\n\n"));
  EXPECT_FALSE(opens_thoughts(kThink, "<|im_start|>assistant\n"));
  EXPECT_FALSE(opens_thoughts(kThink, ""));
  EXPECT_FALSE(opens_thoughts({}, "<think>"));
}

TEST(ThoughtMarks, AreSeenThoughTheyAreControlTokens) {
  EXPECT_TRUE(is_thought_mark("[THINK]"));
  EXPECT_TRUE(is_thought_mark("</think>"));
  EXPECT_FALSE(is_thought_mark("<|im_end|>"));
}

}  // namespace
}  // namespace tars::llm
