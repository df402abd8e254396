#include "config/dotenv.h"

#include <gtest/gtest.h>

namespace tars::config {
namespace {

std::vector<std::pair<std::string, std::string>> pairs(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  for (DotenvEntry& e : parse_dotenv(text).value()) out.emplace_back(e.name, e.value);
  return out;
}

std::string error_of(std::string_view text) {
  const auto result = parse_dotenv(text);
  return result ? "no error" : result.error().message;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(Dotenv, ReadsNamesAndValues) {
  EXPECT_EQ(pairs("A=1\nB_2 = two words \n\n# comment\n  C=\n"),
            (Pairs{{"A", "1"}, {"B_2", "two words"}, {"C", ""}}));
}

TEST(Dotenv, AllowsExportCarriageReturnsAndAByteOrderMark) {
  EXPECT_EQ(pairs("\xEF\xBB\xBF"
                  "export A=1\r\nexport\tB=2\r\nexported=3"),
            (Pairs{{"A", "1"}, {"B", "2"}, {"exported", "3"}}));
}

TEST(Dotenv, ACommentNeedsABlankBeforeIt) {
  EXPECT_EQ(pairs("A=x#y # z\nB=#all\nC=a=b"), (Pairs{{"A", "x#y"}, {"B", ""}, {"C", "a=b"}}));
}

TEST(Dotenv, QuotesKeepWhatIsInThem) {
  EXPECT_EQ(pairs("A='a # $b \\n'  # comment\nB=\"x\\n\\\"y\\\" \\$z \\\\ # no\""),
            (Pairs{{"A", "a # $b \\n"}, {"B", "x\n\"y\" $z \\ # no"}}));
  EXPECT_EQ(pairs("A=it's"), (Pairs{{"A", "it's"}}));
}

TEST(Dotenv, RemembersLines) {
  const auto entries = parse_dotenv("# one\n\nA=1\nB=2").value();
  EXPECT_EQ(entries.at(0).line, 3);
  EXPECT_EQ(entries.at(1).line, 4);
}

TEST(Dotenv, NamesTheBadLineButNotItsText) {
  EXPECT_EQ(error_of("A=1\nsecret stuff\n"), "line 2: not of the form NAME=VALUE");
  EXPECT_EQ(error_of("A-B=1"), "line 1: a name is made of letters, digits and _");
  EXPECT_EQ(error_of("1A=1"), "line 1: a name is made of letters, digits and _");
  EXPECT_EQ(error_of("=1"), "line 1: a name is made of letters, digits and _");
  EXPECT_EQ(error_of("\n\nA='x"), "line 3: a single quote is not closed");
  EXPECT_EQ(error_of("A=\"x\\"), "line 1: a double quote is not closed");
  EXPECT_EQ(error_of("A=\"x\" y"), "line 1: text after the closing quote");
  EXPECT_EQ(error_of("A='x' y"), "line 1: text after the closing quote");
  EXPECT_NE(error_of("A=\"\\q\"").find("unknown escape"), std::string::npos);
  EXPECT_EQ(error_of("A=1\nA=2"), "line 2: A is set twice");
}

TEST(Dotenv, RefusesWhatIsNoTextFile) {
  EXPECT_EQ(error_of(std::string_view("A=\0", 3)), "the file is not text");
  EXPECT_EQ(error_of(std::string(1024 * 1024 + 1, '\n')), "the file is larger than 1 MiB");
}

TEST(Dotenv, AnEmptyFileHasNoEntries) { EXPECT_TRUE(pairs("").empty()); }

}  // namespace
}  // namespace tars::config
