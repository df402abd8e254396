// /openapi.json: OpenAPI 3.1 made from the route table and the error table.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/http/route_table.h"

namespace tars::api {

// The document as JSON text: src/api/docs/openapi_base.json (the texts, schemas and examples) with
// an operation for each route and every error code in it. std::logic_error names a route whose docs
// refer to something that the base does not have, or that has no summary, tag or answer.
std::string openapi_document(std::span<const Route> routes, std::string_view version);

}  // namespace tars::api
