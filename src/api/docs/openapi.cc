#include "api/docs/openapi.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <vector>

#include "api/docs/asset.h"
#include "api/error_table.h"
#include "api/http/problem.h"

namespace tars::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kProblemType = "application/problem+json";

json::string_view key(std::string_view text) { return {text.data(), text.size()}; }

// The object at this path of keys, which must be there.
json::object& at(json::object& in, std::initializer_list<std::string_view> path) {
  json::object* out = &in;
  for (const std::string_view name : path) out = &out->at(key(name)).as_object();
  return *out;
}

// The codes that an operation can answer with beside its own: from who may call it, and from
// reading a body.
std::set<ErrorCode> all_errors(const Route& route) {
  using enum ErrorCode;
  std::set<ErrorCode> codes(route.docs.errors.begin(), route.docs.errors.end());
  // forbidden: to a page that calls the server by a name that it does not know.
  codes.insert({internal, forbidden});
  if (route.access == Access::bearer || route.access == Access::optional) {
    codes.insert({unauthorized, invalid_token, token_revoked, store_unavailable});
  }
  if (route.access == Access::examined) codes.insert(unauthorized);
  if (!route.docs.request.empty()) {
    codes.insert({unsupported_media_type, invalid_json, invalid_request});
  }
  return codes;
}

class OperationWriter {
 public:
  OperationWriter(const Route& route, const json::object& components)
      : route_(route), components_(components) {}

  json::object write() {
    const RouteDocs& docs = route_.docs;
    if (route_.summary.empty() || docs.tag.empty() || docs.answers.empty()) {
      fail("has no summary, tag or answer");
    }
    json::object operation;
    operation["operationId"] = id();
    operation["summary"] = route_.summary;
    if (!docs.description.empty()) operation["description"] = key(docs.description);
    operation["tags"] = {key(docs.tag)};
    operation["security"] = security();
    if (!docs.parameters.empty()) {
      json::array& parameters = operation["parameters"].emplace_array();
      for (const auto name : docs.parameters) parameters.push_back(reference("parameters", name));
    }
    if (!docs.request.empty()) {
      operation["requestBody"] = {{"required", docs.request_required},
                                  {"content", {{"application/json", media(docs.request)}}}};
    }
    for (const RouteAnswer& answer : docs.answers) add(answer);
    add_http_errors();
    for (const ErrorCode code : all_errors(route_)) add(error_row(code));
    json::object& responses = operation["responses"].emplace_object();
    for (auto& [status, response] : responses_) {
      responses[std::to_string(status)] = std::move(response);
    }
    return operation;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::logic_error(route_.method + " " + route_.path + " " + what);
  }

  const json::value& component(std::string_view kind, std::string_view name) const {
    const json::value* found = components_.at(key(kind)).as_object().if_contains(key(name));
    if (found == nullptr)
      fail("refers to " + std::string(name) + ", which openapi_base.json lacks");
    return *found;
  }

  json::object reference(std::string_view kind, std::string_view name) const {
    component(kind, name);
    return {{"$ref", "#/components/" + std::string(kind) + "/" + std::string(name)}};
  }

  // getAuthDevices for GET /auth/devices.
  std::string id() const {
    std::string out;
    for (const char c : route_.method) out += static_cast<char>(c - 'A' + 'a');
    bool upper = false;
    for (const char c : route_.path) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (letter) out += upper && c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
      upper = !letter;
    }
    return out;
  }

  json::array security() const {
    const json::object bearer{{"bearer", json::array()}};
    switch (route_.access) {
      case Access::open: return {};
      // Without one, too, the call has a meaning: the number of sessions, or that there is none.
      case Access::optional:
      case Access::examined: return {json::object(), bearer};
      case Access::bearer: break;
    }
    return {bearer};
  }

  // A schema and its examples.
  json::object media(std::string_view schema) const {
    json::object out{{"schema", reference("schemas", schema)}};
    const json::value* listed = component("schemas", schema).as_object().if_contains("examples");
    if (listed == nullptr) return out;
    json::object& examples = out["examples"].emplace_object();
    for (const json::value& value : listed->as_array()) {
      examples["example_" + std::to_string(examples.size() + 1)] = {{"value", value}};
    }
    return out;
  }

  // The response of that status, begun when it is not there.
  json::object& response(unsigned status, std::string_view description) {
    const auto [found, added] = responses_.try_emplace(status);
    if (added) {
      found->second = {{"description", key(description)}, {"headers", json::object()}};
      add_header(found->second, "X-Request-ID");
    }
    return found->second;
  }

  void add_header(json::object& response, std::string_view name) const {
    at(response, {"headers"})[key(name)] = reference("headers", name);
  }

  void add(const RouteAnswer& answer) {
    json::object& out = response(answer.status, answer.description);
    for (const auto name : answer.headers) add_header(out, name);
    if (answer.schema.empty()) return;
    json::object content = media(answer.schema);
    if (answer.media_type == kProblemType) content["schema"] = problem_schema(answer.status, {});
    content_of(out)[key(answer.media_type)] = std::move(content);
  }

  static json::object& content_of(json::object& response) {
    json::value& content = response["content"];
    if (!content.is_object()) content.emplace_object();
    return content.as_object();
  }

  json::object problem_schema(unsigned status, json::array codes) const {
    json::object narrowed{{"status", {{"const", status}}}};
    if (!codes.empty()) narrowed["code"] = {{"enum", std::move(codes)}};
    json::object schema = reference("schemas", "Problem");
    schema["properties"] = std::move(narrowed);
    return schema;
  }

  // What HTTP itself refuses is the same everywhere; of it those that sound clients may meet.
  void add_http_errors() {
    const bool takes_body = !route_.docs.request.empty();
    for (const HttpRow& row : http_error_table()) {
      const bool met = row.status == 400 || row.status == 408 || row.status == 413 ||
                       row.status == 431 || (row.status == 503 && takes_body);
      if (met) add_problem(row.status, row.name, row.title);
    }
  }

  void add(const ErrorRow& row) { add_problem(row.status, row.name, row.title); }

  void add_problem(unsigned status, std::string_view name, std::string_view title) {
    json::object& out = response(status, title);
    if (status == 401) add_header(out, "WWW-Authenticate");
    if (status == 415) add_header(out, "Accept-Encoding");
    if (status == 429 || status == 503) add_header(out, "Retry-After");
    json::value& media = content_of(out)[key(kProblemType)];
    if (!media.is_object()) {
      media = {{"schema", problem_schema(status, {key(name)})}, {"examples", json::object()}};
    } else {
      at(media.as_object(), {"schema", "properties", "code"})["enum"].as_array().push_back(
          key(name));
      out["description"] =
          std::string(out["description"].as_string().c_str()) + "; " + std::string(title);
    }
    at(media.as_object(), {"examples"})[key(name)] = {{"summary", key(title)},
                                                      {"value", example(status, name, title)}};
  }

  // As far as it is always the same.
  static std::string detail(std::string_view name, std::string_view title) {
    if (name == "UNAUTHORIZED") return std::string(token_error_text("token_missing"));
    if (name == "INVALID_TOKEN") return std::string(token_error_text("token_expired"));
    if (name == "TOKEN_REVOKED") return std::string(token_error_text("token_revoked"));
    return std::string(title);
  }

  json::object example(unsigned status, std::string_view name, std::string_view title) const {
    json::object out{{"type", "urn:tars:problem:" + std::string(name)},
                     {"title", key(title)},
                     {"status", status},
                     {"detail", detail(name, title)},
                     {"instance", route_.path},
                     {"code", key(name)},
                     {"trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"}};
    if (status == 422) {
      out["errors"] = {{{"field", "client_id"}, {"message", "is required"}}};
    }
    return out;
  }

  const Route& route_;
  const json::object& components_;
  std::map<unsigned, json::object> responses_;
};

// The names of both tables, by status.
std::map<unsigned, std::set<std::string_view>> all_codes() {
  std::map<unsigned, std::set<std::string_view>> codes;
  for (const ErrorRow& row : error_table()) codes[row.status].insert(row.name);
  for (const HttpRow& row : http_error_table()) codes[row.status].insert(row.name);
  return codes;
}

void add_error_codes(json::object& document) {
  std::string table =
      "\n\n# Errors\n\nAn error is `application/problem+json` (RFC 9457); `code` is one of these, "
      "and each operation says which it can have. What HTTP itself refuses (a request that is "
      "malformed, too large, or too slow) every operation can answer. 405, 501 and 505 answer "
      "what is no operation, 426 a GET of `/ws/chat` that is no upgrade.\n\n"
      "| status | code |\n|---|---|\n";
  std::set<std::string_view> names;
  for (const auto& [status, of_status] : all_codes()) {
    std::string cell;
    for (const std::string_view name : of_status) {
      cell += (cell.empty() ? "`" : ", `") + std::string(name) + "`";
    }
    table += "| " + std::to_string(status) + " | " + cell + " |\n";
    names.insert(of_status.begin(), of_status.end());
  }
  at(document, {"info"})["description"].as_string().append(table);
  json::array& codes =
      at(document, {"components", "schemas", "Problem", "properties", "code"})["enum"]
          .emplace_array();
  for (const std::string_view name : names) codes.push_back(key(name));
}

}  // namespace

std::string openapi_document(std::span<const Route> routes, std::string_view version) {
  json::object document = json::parse(key(asset("openapi_base.json").plain.bytes())).as_object();
  at(document, {"info"})["version"] = key(version);
  add_error_codes(document);
  // The name of one that there is, for who tries it out.
  at(document, {"components", "parameters", "file"})["example"] =
      key(std::ranges::find(assets(), true, &Asset::shared)->name);
  const json::object components = at(document, {"components"});
  json::object& paths = at(document, {"paths"});
  for (const Route& route : routes) {
    if (route.docs.tag.empty()) continue;
    std::string method;
    for (const char c : route.method) method += static_cast<char>(c - 'A' + 'a');
    json::value& path = paths[route.path];
    if (!path.is_object()) path.emplace_object();
    path.as_object()[method] = OperationWriter(route, components).write();
  }
  return json::serialize(document);
}

}  // namespace tars::api
