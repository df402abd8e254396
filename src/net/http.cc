#include "net/http.h"

#include <algorithm>

#include "net/message/ascii.h"

namespace tars::net {

std::optional<std::string_view> find_header(const Headers& headers, std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(), [name](const auto& field) {
    return equals_ignoring_case(field.first, name);
  });
  if (found == headers.end()) return std::nullopt;
  return std::string_view(found->second);
}

std::size_t header_count(const Headers& headers, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count_if(
      headers, [name](const auto& field) { return equals_ignoring_case(field.first, name); }));
}

bool header_lists(const Headers& headers, std::string_view name, std::string_view element) {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& field) {
    return equals_ignoring_case(field.first, name) && lists_token(field.second, element);
  });
}

std::optional<std::string_view> HttpRequest::query_param(std::string_view name) const {
  const auto found =
      std::find_if(query.begin(), query.end(), [name](const auto& p) { return p.first == name; });
  if (found == query.end()) return std::nullopt;
  return std::string_view(found->second);
}

}  // namespace tars::net
