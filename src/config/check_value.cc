#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <cctype>

#include "base/utf8.h"
#include "config/scalar.h"
#include "config/values.h"

namespace tars::config {
namespace {

Error bad(std::string message) { return make_error(ErrorCode::config_error, std::move(message)); }

Error unexpected(const Option& option) { return bad("is not " + expected_value(option)); }

Result<void> check_integer(const Option& option, std::string_view value) {
  const std::optional<std::int64_t> number = parse_integer(value);
  if (!number) return unexpected(option);
  if (static_cast<double>(*number) < option.min || static_cast<double>(*number) > option.max) {
    return unexpected(option);
  }
  return {};
}

Result<void> check_number(const Option& option, std::string_view value) {
  const std::optional<double> number = parse_number(value);
  if (!number || *number < option.min || *number > option.max) return unexpected(option);
  return {};
}

Result<void> check_pair(const Option& option, std::string_view value) {
  const std::vector<std::string> parts = split_list(value);
  if (parts.size() != 2) return unexpected(option);
  for (const std::string& part : parts) {
    if (auto checked = check_integer(option, part); !checked) return unexpected(option);
  }
  return {};
}

Result<void> check_text(const Option& option, std::string_view value) {
  if (option.max > 0 && (static_cast<double>(value.size()) < option.min ||
                         static_cast<double>(value.size()) > option.max)) {
    return bad("has " + std::to_string(value.size()) + " bytes, not " + expected_value(option));
  }
  return {};
}

Result<void> check_url(const Option& option, std::string_view value) {
  const auto url = boost::urls::parse_uri(value);
  using boost::urls::scheme;
  const bool is_web =
      url && (url->scheme_id() == scheme::http || url->scheme_id() == scheme::https);
  if (!is_web || url->host().empty()) return unexpected(option);
  return {};
}

}  // namespace

Result<void> check_value(const Option& option, std::string_view value) {
  if (!is_valid_utf8(value)) return bad("is not UTF-8 text");
  if (value.find('\0') != std::string_view::npos) return bad("holds a zero byte");
  if (!option.keyword.empty() && equal_ignoring_case(value, option.keyword)) return {};
  switch (option.kind) {
    case Kind::text: return check_text(option, value);
    case Kind::path:
    case Kind::list: return {};
    case Kind::integer: return check_integer(option, value);
    case Kind::number: return check_number(option, value);
    case Kind::pair: return check_pair(option, value);
    case Kind::url: return check_url(option, value);
    case Kind::boolean:
      if (!parse_boolean(value)) return unexpected(option);
      return {};
    case Kind::choice:
      if (!find_choice(option.choices, value)) return unexpected(option);
      return {};
    case Kind::time:
      if (!parse_time(value)) return unexpected(option);
      return {};
  }
  return {};
}

}  // namespace tars::config
