// Columns for people at a terminal.
#pragma once

#include <string>
#include <vector>

namespace tars::app {

// Left-aligned columns, two blanks apart, as wide as their widest cell in code points. Control
// characters in a cell become blanks: a name must not move the cursor.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> titles);
  // As many cells as titles.
  void add(std::vector<std::string> cells);
  // With a line's end after each row.
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace tars::app
