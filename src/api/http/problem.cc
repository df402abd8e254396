#include "api/http/problem.h"

#include <algorithm>
#include <array>

#include "api/error_table.h"
#include "base/utf8.h"
#include "telemetry/log.h"

namespace tars::api {
namespace {

constexpr std::array kHttpRows = {
    HttpRow{400, "BAD_REQUEST", "Bad request"},
    HttpRow{404, "NOT_FOUND", "Not found"},
    HttpRow{408, "REQUEST_TIMEOUT", "Request timeout"},
    HttpRow{413, "PAYLOAD_TOO_LARGE", "Payload too large"},
    HttpRow{426, "UPGRADE_REQUIRED", "Upgrade required"},
    HttpRow{431, "HEADERS_TOO_LARGE", "Request header fields too large"},
    HttpRow{500, "INTERNAL", "Internal error"},
    HttpRow{501, "NOT_IMPLEMENTED", "Not implemented"},
    HttpRow{503, "UNAVAILABLE", "Not available"},
    HttpRow{505, "HTTP_VERSION_NOT_SUPPORTED", "HTTP version not supported"},
};

struct Document {
  unsigned status;
  std::string_view name;
  std::string_view title;
  std::string_view detail;
};

net::HttpResponse render(const Document& document, const std::vector<FieldError>& fields,
                         const ProblemPlace& place) {
  const std::string_view path = place.target.substr(0, place.target.find('?'));
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.field("type", "urn:tars:problem:" + std::string(document.name));
  json.field("title", document.title);
  json.field("status", document.status);
  json.field("detail", replace_invalid_utf8(document.detail));
  json.field("instance", telemetry::redact_url(replace_invalid_utf8(path)));
  json.field("code", document.name);
  json.field("trace_id", place.trace_id.empty() ? place.request_id : place.trace_id);
  if (document.status == 422) {
    json.begin_array("errors");
    for (const FieldError& field : fields) {
      json.begin_object().field("field", field.field).field("message", field.message).end_object();
    }
    json.end_array();
  }
  json.end_object();
  net::HttpResponse response;
  response.status = document.status;
  response.headers = {{"Content-Type", "application/problem+json"}};
  response.body = std::move(body);
  return response;
}

void add_retry_after(net::HttpResponse& response, std::optional<std::chrono::seconds> wait) {
  if (response.status != 429 && response.status != 503) return;
  const auto fallback = std::chrono::seconds(response.status == 429 ? 1 : 5);
  const auto seconds = std::max(wait.value_or(fallback), std::chrono::seconds(1)).count();
  response.headers.emplace_back("Retry-After", std::to_string(seconds));
}

}  // namespace

std::span<const HttpRow> http_error_table() { return kHttpRows; }

net::HttpResponse problem_response(const Error& error, const ProblemPlace& place) {
  const ErrorRow& row = error_row(error.code);
  const std::string_view detail =
      row.status == 401 ? token_error_text(error.message) : error.message;
  net::HttpResponse response =
      render({row.status, row.name, row.title, detail}, error.fields, place);
  if (row.status == 401) {
    response.headers.emplace_back("WWW-Authenticate",
                                  place.token_sent ? "Bearer error=\"invalid_token\"" : "Bearer");
  }
  add_retry_after(response, error.retry_after);
  return response;
}

net::HttpResponse problem_response(unsigned status, std::string_view detail,
                                   const ProblemPlace& place) {
  const auto* row = std::find_if(kHttpRows.begin(), kHttpRows.end(),
                                 [status](const HttpRow& r) { return r.status == status; });
  const HttpRow known = row != kHttpRows.end() ? *row : HttpRow{status, "HTTP_ERROR", "HTTP error"};
  net::HttpResponse response = render({status, known.name, known.title, detail}, {}, place);
  add_retry_after(response, std::nullopt);
  return response;
}

net::HttpResponse json_response(unsigned status, std::string body) {
  net::HttpResponse response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}};
  response.body = std::move(body);
  return response;
}

}  // namespace tars::api
