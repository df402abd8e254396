#include "app/text_table.h"

#include <algorithm>

#include "base/utf8.h"

namespace tars::app {
namespace {

std::string harmless(const std::string& cell) {
  return replace_control_characters(replace_invalid_utf8(cell));
}

std::size_t width(const std::string& cell) { return count_code_points(cell).value_or(cell.size()); }

}  // namespace

TextTable::TextTable(std::vector<std::string> titles) { add(std::move(titles)); }

void TextTable::add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = harmless(cell);
  rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], width(row.at(i)));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      line += row[i] + std::string(widths[i] - width(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace tars::app
