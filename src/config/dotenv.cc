#include "config/dotenv.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace tars::config {
namespace {

constexpr std::size_t kMaxBytes = 1024 * 1024;
constexpr std::string_view kBlanks = " \t";

std::string_view trim_left(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text;
}

std::string_view trim_right(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

Error bad_line(std::string_view problem) {
  return make_error(ErrorCode::config_error, std::string(problem));
}

bool is_name(std::string_view name) {
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  return !name.empty() && !std::isdigit(static_cast<unsigned char>(name[0])) &&
         std::ranges::all_of(name, is_word);
}

bool only_comment(std::string_view rest) {
  rest = trim_left(rest);
  return rest.empty() || rest[0] == '#';
}

Result<std::string> single_quoted(std::string_view text) {
  const std::size_t end = text.find('\'', 1);
  if (end == std::string_view::npos) return bad_line("a single quote is not closed");
  if (!only_comment(text.substr(end + 1))) return bad_line("text after the closing quote");
  return std::string(text.substr(1, end - 1));
}

char unescaped(char c) {
  switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    default: return c;
  }
}

Result<std::string> double_quoted(std::string_view text) {
  constexpr std::string_view kEscapes = "ntr\"\\$";
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      if (!only_comment(text.substr(i + 1))) return bad_line("text after the closing quote");
      return out;
    }
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) break;
    if (kEscapes.find(text[i]) == std::string_view::npos) {
      return bad_line(
          "an unknown escape in double quotes; use single quotes for text with backslashes");
    }
    out += unescaped(text[i]);
  }
  return bad_line("a double quote is not closed");
}

std::string bare(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool after_blank = i == 0 || kBlanks.find(text[i - 1]) != std::string_view::npos;
    if (text[i] == '#' && after_blank) return std::string(trim_right(text.substr(0, i)));
  }
  return std::string(trim_right(text));
}

Result<std::string> parse_value(std::string_view text) {
  if (text.starts_with('\'')) return single_quoted(text);
  if (text.starts_with('"')) return double_quoted(text);
  return bare(text);
}

Result<DotenvEntry> parse_line(std::string_view line) {
  constexpr std::string_view kExport = "export";
  if (line.starts_with(kExport) && line.size() > kExport.size() &&
      kBlanks.find(line[kExport.size()]) != std::string_view::npos) {
    line = trim_left(line.substr(kExport.size()));
  }
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return bad_line("not of the form NAME=VALUE");
  const std::string_view name = trim_right(line.substr(0, equals));
  if (!is_name(name)) return bad_line("a name is made of letters, digits and _");
  Result<std::string> value = parse_value(trim_left(line.substr(equals + 1)));
  if (!value) return value.error();
  return DotenvEntry{std::string(name), *std::move(value)};
}

}  // namespace

Result<std::vector<DotenvEntry>> parse_dotenv(std::string_view text) {
  if (text.size() > kMaxBytes) return bad_line("the file is larger than 1 MiB");
  if (text.find('\0') != std::string_view::npos) return bad_line("the file is not text");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<DotenvEntry> entries;
  std::set<std::string, std::less<>> seen;
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (only_comment(line)) continue;
    Result<DotenvEntry> entry = parse_line(trim_left(line));
    if (!entry) return bad_line("line " + std::to_string(number) + ": " + entry.error().message);
    if (!seen.insert(entry->name).second) {
      return bad_line("line " + std::to_string(number) + ": " + entry->name + " is set twice");
    }
    entry->line = number;
    entries.push_back(*std::move(entry));
  }
  return entries;
}

}  // namespace tars::config
