#include "config/option.h"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace tars::config {
namespace {

std::string shown_number(double value) {
  if (value == std::floor(value)) return std::to_string(static_cast<long long>(value));
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

std::string range(const Option& option) {
  return shown_number(option.min) + " to " + shown_number(option.max);
}

std::string with_unit(const Option& option, std::string text) {
  if (!option.unit.empty()) text += " (" + std::string(option.unit) + ")";
  if (!option.keyword.empty()) text += ", or " + std::string(option.keyword);
  return text;
}

std::string choices_in_words(std::string_view choices) {
  std::string out(choices);
  for (std::size_t at = out.rfind('|'); at != std::string::npos; at = out.rfind('|')) {
    out.replace(at, 1, out.find(" or ") == std::string::npos ? " or " : ", ");
  }
  return out;
}

std::string text_of_length(const Option& option) {
  if (option.max == 0) return "text";
  return "text of " + range(option) + " bytes";
}

}  // namespace

const Option* find_option(std::string_view name) {
  if (name.empty()) return nullptr;
  const auto found = std::ranges::find_if(
      options(), [&](const Option& o) { return o.name == name || o.alias == name; });
  return found == options().end() ? nullptr : &*found;
}

std::string_view group_title(Group group) {
  switch (group) {
    case Group::server: return "Server";
    case Group::http: return "HTTP";
    case Group::tokens: return "Tokens";
    case Group::sockets: return "WebSocket";
    case Group::model: return "Model";
    case Group::runs: return "Runs";
    case Group::documents: return "Documents";
  }
  return "";
}

std::string flag_name(std::string_view option_name) {
  std::string out(option_name);
  for (char& c : out) {
    c = c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string expected_value(const Option& option) {
  switch (option.kind) {
    case Kind::text: return text_of_length(option);
    case Kind::path: return "a path";
    case Kind::integer: return with_unit(option, "an integer from " + range(option));
    case Kind::number: return with_unit(option, "a number from " + range(option));
    case Kind::boolean: return "true or false";
    case Kind::choice: return choices_in_words(option.choices);
    case Kind::list: return "a comma-separated list";
    case Kind::pair:
      return with_unit(option, "two integers from " + range(option) + " with a comma between");
    case Kind::url: return "a URL that begins with http:// or https://";
    case Kind::time:
      return "a time such as 2026-12-31T00:00:00Z, or a date, which is its first moment in UTC";
  }
  return "";
}

}  // namespace tars::config
