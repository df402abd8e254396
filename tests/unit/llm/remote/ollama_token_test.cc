#include "llm/remote/ollama_token.h"

#include <gtest/gtest.h>

namespace tars::llm {
namespace {

class OllamaTokenTest : public ::testing::Test {
 protected:
  bool read(std::string_view line) { return token_.read(line); }
  std::string text(std::string_view line) {
    EXPECT_TRUE(read(line)) << line;
    return std::string(token_.text());
  }
  OllamaToken token_;
};

TEST_F(OllamaTokenTest, ReadsTheTextWhereverItStands) {
  // As Ollama 0.17 sent it.
  EXPECT_EQ(
      text(
          R"({"model":"smollm2:135m","created_at":"2026-11-24T14:18:22.015274175Z","message":{"role":"assistant","content":"I"},"done":false})"),
      "I");
  EXPECT_EQ(text(R"({"done":false,"message":{"content":" a"}} )"), " a");
  EXPECT_EQ(text(R"({"message":{"x":{"content":"no"},"y":[{"content":"no"}],"content":"yes"},)"
                 R"("content":"no","z":{"done":true,"error":1},"done":false})"),
            "yes");
}

TEST_F(OllamaTokenTest, EscapesAreTaken) {
  EXPECT_EQ(text(R"({"message":{"content":"a\n\"b\"\\ \u00e9 \ud83d\ude00"},"done":false})"),
            "a\n\"b\"\\ \u00e9 \U0001F600");
  EXPECT_EQ(text(R"({"mess\u0061ge":{"c\u006fntent":"k"},"d\u006fne":false})"), "k");
  std::string longer(10'000, 'x');
  longer.insert(5000, "\\t");
  EXPECT_EQ(text("{\"message\":{\"content\":\"" + longer + "\"},\"done\":false}").size(), 10'001U);
}

TEST_F(OllamaTokenTest, KeepsNothingOfTheLineBefore) {
  EXPECT_EQ(text(R"({"message":{"content":"I","thinking":"hm"},"done":false})"), "I");
  EXPECT_TRUE(token_.is_thought());
  EXPECT_EQ(text(R"({"message":{"role":"assistant"},"done":false})"), "");
  EXPECT_FALSE(token_.is_thought());
  EXPECT_FALSE(read(R"({"message":{"content":"half)"));
  EXPECT_EQ(text(R"({"message":{"content":"whole"},"done":false})"), "whole");
  EXPECT_FALSE(read(R"({"message":{"content":)"));
  EXPECT_EQ(text(R"({"done":false})"), "");
}

TEST_F(OllamaTokenTest, ThinkingIsNoText) {
  EXPECT_EQ(text(R"({"message":{"content":"","thinking":"so"},"done":false})"), "");
  EXPECT_TRUE(token_.is_thought());
  EXPECT_EQ(text(R"({"message":{"content":"a","thinking":""},"done":false})"), "a");
  EXPECT_FALSE(token_.is_thought());
}

TEST_F(OllamaTokenTest, WhatIsNoStringIsNoText) {
  EXPECT_EQ(text(R"({"message":{"content":["x"]},"done":false})"), "");
  EXPECT_EQ(text(R"({"message":{"content":{"content":"x"}},"done":false})"), "");
  EXPECT_EQ(text(R"({"message":{"content":null},"done":false})"), "");
  EXPECT_EQ(text(R"({"message":["content","x"],"done":false})"), "");
  EXPECT_EQ(text(R"({"message":"content","done":false})"), "");
}

TEST_F(OllamaTokenTest, EveryOtherLineIsForWhoReadsDocuments) {
  for (const char* line : {"",
                           " ",
                           "<html>",
                           "[]",
                           "[{\"done\":false}]",
                           "true",
                           "false",
                           "null",
                           "1",
                           "\"done\"",
                           "{}",
                           R"({"message":{"content":"x"}})",
                           R"({"message":{"content":"x"},"done":true})",
                           R"({"message":{"content":"x"},"done":"no"})",
                           R"({"message":{"content":"x"},"done":null})",
                           R"({"message":{"content":"x"},"done":0})",
                           R"({"message":{"content":"x"},"done":[false]})",
                           R"({"done":false,"error":"broken"})",
                           R"({"done":false,"error":null})",
                           R"({"message":{"content":"x"},"done":false)",
                           R"({"message":{"content":"x"},"done":false}x)",
                           R"({"message":{"content":"x"},"done":false}{})",
                           R"({"message":{"content":"\ud83d"},"done":false})",
                           "{\"message\":{\"content\":\"\xff\"},\"done\":false}"}) {
    EXPECT_FALSE(read(line)) << line;
  }
}

// Of two fields of one name a document has the last.
TEST_F(OllamaTokenTest, TheLastOfTwoCounts) {
  EXPECT_EQ(text(R"({"message":{"content":"a","content":"b"},"done":false})"), "b");
  EXPECT_EQ(text(R"({"message":{"content":"a"},"message":{"content":"b"},"done":false})"), "b");
  EXPECT_EQ(text(R"({"message":{"content":"a"},"message":null,"done":false})"), "");
  EXPECT_EQ(text(R"({"message":{"thinking":"a","thinking":""},"done":false})"), "");
  EXPECT_FALSE(token_.is_thought());
  EXPECT_FALSE(read(R"({"message":{"content":"a"},"done":false,"done":true})"));
  EXPECT_FALSE(read(R"({"done":false,"done":{}})"));
  EXPECT_FALSE(read(R"({"done":false,"done":[]})"));
}

TEST_F(OllamaTokenTest, DepthIsBounded) {
  EXPECT_FALSE(read("{\"a\":" + std::string(100'000, '[')));
}

}  // namespace
}  // namespace tars::llm
