// What /openapi.json says about a route beside what the route itself knows.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"

namespace tars::api {

// The names below stand under `components` of src/api/docs/openapi_base.json; a name that does not
// is a fault that the first test of the gateway shows.
struct RouteAnswer {
  unsigned status = 200;
  std::string_view description;
  std::string_view schema = {};  // empty: no body. Its first example is the answer's.
  std::string_view media_type = "application/json";
  std::vector<std::string_view> headers = {};  // beside X-Request-ID
};

// Several answers may share a status and differ in the media type. What every route can answer
// (400, 500), what its access needs (401, 503) and what reading a body needs (413, 415, 422) comes
// by itself.
struct RouteDocs {
  // Empty: no call for an HTTP client, and not in the document.
  std::string_view tag = {};
  std::string_view description = {};  // Markdown; empty where the summary says it all
  std::string_view request = {};      // schema of the body; empty: none is read
  bool request_required = true;
  std::vector<std::string_view> parameters = {};
  std::vector<RouteAnswer> answers = {};
  std::vector<ErrorCode> errors = {};  // what else the handler returns
};

}  // namespace tars::api
