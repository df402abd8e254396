#include "llm/remote/line_splitter.h"

#include <gtest/gtest.h>

#include <vector>

namespace tars::llm {
namespace {

TEST(LineSplitter, GivesTheSameLinesHoweverTheBytesWereCut) {
  const std::string bytes = "one\n\ntwo\r\nthree\rstill\nrest";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    LineSplitter splitter(100);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      ASSERT_TRUE(splitter.feed(bytes.substr(at, step), [&](std::string_view line) -> Result<void> {
        lines.emplace_back(line);
        return {};
      }));
    }
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "", "two", "three\rstill"})) << step;
    EXPECT_EQ(splitter.rest(), "rest");
  }
}

TEST(LineSplitter, ALineWithoutEndIsAnErrorAndHoldsNoMoreThanItsBound) {
  LineSplitter splitter(10);
  const auto take = [](std::string_view) -> Result<void> { return {}; };
  EXPECT_TRUE(splitter.feed("0123456789", take));
  const auto result = splitter.feed("x", take);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::generation_error);
  EXPECT_LE(splitter.rest().size(), 10U);
}

TEST(LineSplitter, AnErrorOfTheTakerStopsIt) {
  LineSplitter splitter(10);
  int taken = 0;
  EXPECT_FALSE(splitter.feed("a\nb\nc\n", [&](std::string_view) -> Result<void> {
    return ++taken == 2 ? Result<void>(make_error(ErrorCode::internal, "no")) : Result<void>();
  }));
  EXPECT_EQ(taken, 2);
}

}  // namespace
}  // namespace tars::llm
