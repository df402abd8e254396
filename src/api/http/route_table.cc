#include "api/http/route_table.h"

namespace tars::api {
namespace {

// True when `path` fits; what stands for {name} goes to `parameter`.
bool fits(std::string_view pattern, std::string_view path, std::string& parameter) {
  const std::size_t brace = pattern.find('{');
  if (brace == pattern.npos) return pattern == path;
  if (!path.starts_with(pattern.substr(0, brace))) return false;
  const std::string_view rest = path.substr(brace);
  if (rest.empty() || rest.find('/') != rest.npos) return false;
  parameter = rest;
  return true;
}

}  // namespace

RouteTable::Match RouteTable::match(std::string_view method, std::string_view path) const {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  Match found;
  for (const Route& route : routes_) {
    if (!fits(route.path, path, found.parameter)) continue;
    if (route.method == wanted) {
      found.route = &route;
      return found;
    }
    found.allow += route.method + (route.method == "GET" ? ", HEAD, " : ", ");
  }
  if (!found.allow.empty()) found.allow += "OPTIONS";
  return found;
}

}  // namespace tars::api
