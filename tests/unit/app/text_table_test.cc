#include "app/text_table.h"

#include <gtest/gtest.h>

namespace tars::app {
namespace {

TEST(TextTable, ColumnsAreAsWideAsTheirWidestCell) {
  TextTable table({"NAME", "N"});
  table.add({"kitchen", "1"});
  table.add({"", "22"});
  EXPECT_EQ(table.text(),
            "NAME     N\n"
            "kitchen  1\n"
            "         22\n");
}

TEST(TextTable, WidthsAreInCharacters) {
  TextTable table({"A", "B"});
  table.add({"Küche", "x"});
  EXPECT_EQ(table.text(), "A      B\nKüche  x\n");
}

TEST(TextTable, ACellCannotMoveTheCursor) {
  TextTable table({"A"});
  table.add({"a\nb\x1b[2J\x7f\xff"});
  EXPECT_EQ(table.text(), "A\na b [2J \xEF\xBF\xBD\n");
  TextTable other({"A"});
  other.add(
      {"a\xC2\x9B"
       "2Jb\xE2\x80\xAE"
       "c"});  // C1, and what turns the direction
  EXPECT_EQ(other.text(), "A\na 2Jb c\n");
}

}  // namespace
}  // namespace tars::app
