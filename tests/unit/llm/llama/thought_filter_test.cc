#include "llm/llama/thought_filter.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>
#include <vector>

#include "../../../support/model_pieces.h"

namespace tars::llm {
namespace {

const ThoughtMarks kThink{.opening = "<think>", .closing = "</think>"};
const ThoughtMarks kSpelt{.opening = "<think>", .closing = "</think>", .spelt = true};
const ThoughtMarks kChannels{.channels = true};

struct Case {
  const char* text;
  const char* shown;
};

struct Run {
  bool begins = false;
  bool by_itself = true;
};

void expect(const std::vector<Case>& cases, const ThoughtMarks& marks, Run run = {}) {
  for (const auto& [text, shown] : cases) {
    for (std::size_t step = 1; step < 60; ++step) {
      EXPECT_EQ(filter_in_pieces(text, step, marks, run.begins, run.by_itself), shown)
          << text << " by " << step;
    }
  }
}

TEST(ThoughtFilter, LeavesOutTheThoughtsAtTheBeginning) {
  for (const ThoughtMarks& marks : {kThink, kSpelt}) {
    expect({{"<think>\nHm.\n</think>\n\nParis.", "Paris."},
            {" \n<think></think> Paris. ", "Paris. "},
            {"<think>a</think>\n<think>b</think>c", "c"},
            {"<think>end</think>\n", ""}},
           marks);
    expect({{"<think>half </thin", ""}, {"<think>no end", ""}}, marks, {.by_itself = false});
  }
  expect({{"<think>half </thin", ""}, {"<think>no end", ""}}, kThink);
}

TEST(ThoughtFilter, AMarkThatIsSpeltIsSpokenOf) {
  expect({{"\\<think> is the tag.", "<think> is the tag."},
          {"<think>They end with \\</think>, I think.</think>Yes.", "Yes."},
          {"<think>x</think>\n\\<think> opens, \\</think> closes.",
           "<think> opens, </think> closes."}},
         kThink);
  expect({{"<|channel|>final<|message|>Phi writes \\<|end|>, then \\<|start|>, not \\<|channel|> "
           "or \\<|message|>.",
           "Phi writes <|end|>, then <|start|>, not <|channel|> or <|message|>."},
          {"<|channel|>analysis<|message|>It is \\<|message|>.<|end|><|start|>assistant<|channel|>"
           "final<|message|>Hi!",
           "Hi!"}},
         kChannels);
}

TEST(ThoughtFilter, WhatOnlyBeginsLikeASpeltThoughtIsTheAnswer) {
  expect({{"<think> is the tag.", "<think> is the tag."},
          {" <think> opens </thin", " <think> opens </thin"},
          {"<think>Hm.</think>\n\n<think> is the tag.", "<think> is the tag."}},
         kSpelt);
  expect({{"<think> is", ""}}, kSpelt, {.by_itself = false});
}

TEST(ThoughtFilter, TheTemplateMayHaveOpenedThem) {
  expect({{"Hm. <think>?\n</think>\n\nParis.", "Paris."}, {"no end", ""}}, kThink,
         {.begins = true});
  expect({{"Hm. <think>?\n</think>\n\nParis.", "Paris."}, {"no end", ""}}, kSpelt,
         {.begins = true});
}

TEST(ThoughtFilter, AnAnswerStaysAsItIs) {
  for (const ThoughtMarks& marks : {kThink, kSpelt}) {
    expect({{"Paris.", "Paris."},
            {"  Paris.", "  Paris."},
            {"<thinner> hair", "<thinner> hair"},
            {" <thin", " <thin"},
            {"", ""},
            {"\n\n", "\n\n"},
            {"Say <think>it</think>.", "Say <think>it</think>."},
            {"<think>x</think>Say <think>it</think>.", "Say <think>it</think>."}},
           marks);
  }
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
  const std::string text = header + "<|message|>a<|channel|>final<|message|>b";
  EXPECT_EQ(filter_in_pieces(text, 7, kChannels, false), "b");
}

TEST(ThoughtFilter, TellsWhileItHides) {
  ThoughtFilter filter(kThink);
  EXPECT_FALSE(filter.hides());
  filter.push("<think>", true);
  EXPECT_TRUE(filter.hides());
  filter.push("so", false);
  filter.push("</think>", true);
  filter.push("\n\n", false);
  EXPECT_TRUE(filter.hides()) << "blanks before the answer are none of it";
  EXPECT_EQ(filter.push("Yes", false), "Yes");
  EXPECT_FALSE(filter.hides());
}

TEST(ThoughtFilter, AnySplitGivesTheSameText) {
  std::mt19937 random(7);
  const std::vector<std::string> atoms{
      "<think>",   "</think>",    " ",           "\n",        "<",          "a",
      "think>",    "<|start|>",   "<|channel|>", "analysis",  "final",      " to=x",
      "assistant", "<|message|>", "<|end|>",     "<|",        "<|channel",  "</think",
      "<|end|",    "é",           "commentary",  "\\<think>", "\\</think>", "\\<|end|>"};
  for (int round = 0; round < 20'000; ++round) {
    std::string whole;
    for (unsigned i = 0; i < random() % 12; ++i) whole += atoms[random() % atoms.size()];
    const ThoughtMarks marks = std::array{kThink, kSpelt, kChannels}[random() % 3];
    const bool begins = random() % 2 == 0;
    const bool by_itself = random() % 2 == 0;
    const auto shown = [&](std::size_t step) {
      return filter_in_pieces(whole, step, marks, begins, by_itself);
    };
    const std::string expected = shown(1);
    EXPECT_EQ(shown(1000), expected) << whole;
    EXPECT_EQ(shown(2 + random() % 9), expected) << whole;
    if (marks.channels) {
      EXPECT_EQ(expected.find("<|channel|>"), std::string::npos);
    }
  }
}

TEST(ThoughtMarks, AreThoseThatTheModelHas) {
  const std::set<std::string_view> harmony{"<|channel|>", "<|message|>", "<|start|>"};
  const auto none = [](std::string_view) { return false; };
  EXPECT_TRUE(find_thought_marks("", [&](auto text) { return harmony.contains(text); }).channels);
  const auto spelt = find_thought_marks("{{ content.split('</think>') }}", none);
  EXPECT_EQ(spelt.opening, "<think>");
  EXPECT_TRUE(spelt.spelt) << "no token of its own";
  const auto qwen = find_thought_marks("{{ content.split('</think>') }}", [](auto text) {
    return text == "<think>" || text == "</think>";
  });
  EXPECT_EQ(qwen.closing, "</think>");
  EXPECT_FALSE(qwen.spelt);
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

TEST(ThoughtMarks, AreTheTokensOfOneModel) {
  EXPECT_TRUE(may_mark_thoughts("[THINK]"));
  EXPECT_TRUE(may_mark_thoughts("</think>"));
  EXPECT_TRUE(may_mark_thoughts("<|message|>"));
  EXPECT_FALSE(may_mark_thoughts("<|im_end|>"));
  EXPECT_TRUE(kThink.includes("</think>"));
  EXPECT_FALSE(kThink.includes("[THINK]"));
  EXPECT_FALSE(kThink.includes("<|end|>"));
  EXPECT_TRUE(kChannels.includes("<|end|>"));
  EXPECT_FALSE(kChannels.includes("<think>"));
  EXPECT_FALSE(ThoughtMarks().includes(""));
}

}  // namespace
}  // namespace tars::llm
