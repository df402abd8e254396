#include "app/control/control_message.h"

#include <boost/json/array.hpp>

#include <array>
#include <utility>

#include "api/json_reader.h"
#include "api/json_writer.h"

namespace tars::app {
namespace {

using What = ControlRequest::What;

constexpr std::size_t kMaxText = 8192;  // code points; a token is the longest
constexpr std::array<std::pair<What, std::string_view>, 4> kNames{{{What::status, "status"},
                                                                   {What::issue, "issue"},
                                                                   {What::families, "families"},
                                                                   {What::revoke, "revoke"}}};

std::string_view name_of(What what) {
  for (const auto& [value, name] : kNames) {
    if (value == what) return name;
  }
  return {};
}

std::string text(api::FieldReader& fields, std::string_view name) {
  return fields.string(name, {0, kMaxText}).value_or("");
}

WallTime time(api::FieldReader& fields, std::string_view name) {
  const Result<WallTime> parsed = parse_rfc3339(text(fields, name));
  if (!parsed) fields.fail(name, "must be a time");
  return parsed ? *parsed : WallTime{};
}

// The objects of an array; what is no object is passed over.
std::vector<const boost::json::object*> objects(const boost::json::object& from,
                                                std::string_view name) {
  std::vector<const boost::json::object*> out;
  const boost::json::value* found = from.if_contains(name);
  if (found == nullptr || !found->is_array()) return out;
  for (const boost::json::value& item : found->get_array()) {
    if (item.is_object()) out.push_back(&item.get_object());
  }
  return out;
}

void write(api::JsonWriter& json, const ListedFamily& family) {
  json.begin_object();
  json.field("client_id", family.device.client_id);
  json.field("sid", family.device.family);
  json.field("device_name", family.device.device_name);
  json.field("device_type", family.device.device_type);
  json.field("created_at", format_rfc3339(family.device.created_at));
  json.field("last_seen_at", format_rfc3339(family.device.last_seen_at));
  json.field("sockets", family.sockets);
  json.end_object();
}

void write(api::JsonWriter& json, const RunningServer& server) {
  json.begin_object("server");
  json.field("version", server.version);
  json.field("model_path", server.model_path);
  json.field("device", server.device);
  json.begin_array("backends");
  for (const RunningBackend& backend : server.backends) {
    json.begin_object();
    json.field("name", backend.name);
    json.field("model", backend.model);
    json.end_object();
  }
  json.end_array().end_object();
}

Result<ListedFamily> read_family(const boost::json::object& object) {
  api::FieldReader fields(object);
  ListedFamily out;
  out.device.client_id = text(fields, "client_id");
  out.device.family = fields.required_string("sid", {1, kMaxText});
  out.device.device_name = text(fields, "device_name");
  out.device.device_type = text(fields, "device_type");
  out.device.created_at = time(fields, "created_at");
  out.device.last_seen_at = time(fields, "last_seen_at");
  out.sockets = static_cast<std::size_t>(fields.integer("sockets", 0, INT32_MAX).value_or(0));
  if (auto error = fields.error(ErrorCode::invalid_message)) return *std::move(error);
  return out;
}

RunningServer read_server(const boost::json::object& object) {
  api::FieldReader fields(object);
  RunningServer out;
  out.version = text(fields, "version");
  out.model_path = text(fields, "model_path");
  out.device = text(fields, "device");
  for (const boost::json::object* backend : objects(object, "backends")) {
    api::FieldReader of_backend(*backend);
    out.backends.push_back({text(of_backend, "name"), text(of_backend, "model")});
  }
  return out;
}

}  // namespace

std::string format_control_request(const ControlRequest& request) {
  std::string out;
  api::JsonWriter json(out);
  json.begin_object().field("ask", name_of(request.what));
  if (request.what == What::issue) {
    json.field("client_id", request.enroll.client_id);
    json.field("device_name", request.enroll.device_name);
    json.field("device_type", request.enroll.device_type);
  } else if (request.what == What::families) {
    json.field("client_id", request.query.client_id);
    json.field("after", request.query.after);
  } else if (request.what == What::revoke) {
    json.field("sid", request.family);
  }
  json.end_object();
  return out;
}

Result<ControlRequest> parse_control_request(std::string_view line) {
  api::JsonDocument document;
  if (const auto parsed = document.parse(line); !parsed) return parsed.error();
  api::FieldReader fields(document.object());
  ControlRequest out;
  const std::string asked = fields.required_string("ask", {1, 64});
  bool known = false;
  for (const auto& [value, name] : kNames) {
    if (name != asked) continue;
    out.what = value;
    known = true;
  }
  if (!known) fields.fail("ask", "is nothing that this server does: use the same version of tars");
  // Bounded here, checked by the token service.
  out.enroll.client_id = text(fields, "client_id");
  out.enroll.device_name = text(fields, "device_name");
  out.enroll.device_type = text(fields, "device_type");
  out.query.client_id = out.enroll.client_id;
  out.query.after = text(fields, "after");
  out.query.limit = kControlPage;
  out.family = text(fields, "sid");
  if (auto error = fields.error(ErrorCode::invalid_message)) return *std::move(error);
  return out;
}

std::string format_control_answer(const Result<ControlAnswer>& answer) {
  std::string out;
  api::JsonWriter json(out);
  json.begin_object();
  if (!answer) {
    json.field("error", answer.error().message).end_object();
    return out;
  }
  if (answer->server) write(json, *answer->server);
  if (answer->pair) {
    json.field("access_token", answer->pair->tokens.access_token);
    json.field("refresh_token", answer->pair->tokens.refresh_token);
    json.field("expires_in", answer->pair->tokens.expires_in.count());
    json.field("sid", answer->pair->family);
  }
  json.begin_array("families");
  for (const ListedFamily& family : answer->families) write(json, family);
  json.end_array().end_object();
  return out;
}

Result<ControlAnswer> parse_control_answer(std::string_view line) {
  api::JsonDocument document;
  if (const auto parsed = document.parse(line); !parsed) return parsed.error();
  api::FieldReader fields(document.object());
  if (auto error = fields.string("error", {0, kMaxText})) {
    return make_error(ErrorCode::io_error, *std::move(error));
  }
  ControlAnswer out;
  if (const auto* server = document.object().if_contains("server"); server && server->is_object()) {
    out.server = read_server(server->get_object());
  }
  if (auto access = fields.string("access_token", {1, kMaxText})) {
    IssuedPair pair;
    pair.tokens.access_token = *std::move(access);
    pair.tokens.refresh_token = fields.required_string("refresh_token", {1, kMaxText});
    pair.tokens.expires_in =
        std::chrono::seconds(fields.integer("expires_in", 0, INT32_MAX).value_or(0));
    pair.family = fields.required_string("sid", {1, kMaxText});
    out.pair = std::move(pair);
  }
  for (const boost::json::object* object : objects(document.object(), "families")) {
    Result<ListedFamily> family = read_family(*object);
    if (!family) return family.error();
    out.families.push_back(*std::move(family));
  }
  if (auto error = fields.error(ErrorCode::invalid_message)) return *std::move(error);
  return out;
}

}  // namespace tars::app
