#include "api/http/health_routes.h"

#include "api/http/problem.h"

namespace tars::api {
namespace {

// For the routes' docs.
constexpr std::string_view kTag = "health";
constexpr std::string_view kJson = "application/json";
constexpr std::size_t kMostModels = 100;  // of each backend; some servers list thousands

struct Check {
  std::string_view name;
  std::string_view status;
  std::string detail;
  double latency_ms = 0;
};

bool is_well(const Check& check) { return check.status != "unhealthy"; }

template <class Probe>
Check timed(std::string_view name, const Clock& clock, Probe probe) {
  const SteadyTime begun = clock.steady();
  Check check{name, "healthy", probe()};
  if (!check.detail.empty()) check.status = "unhealthy";
  check.latency_ms = std::chrono::duration<double, std::milli>(clock.steady() - begun).count();
  return check;
}

// A sentence when the model cannot answer now, else "".
std::string model_trouble(const llm::Backend& backend, std::chrono::seconds stalled_after) {
  const llm::Status status = backend.status();
  if (status.health != llm::Health::healthy) {
    if (!status.detail.empty()) return status.detail;
    return status.health == llm::Health::starting ? "The model is being loaded"
                                                  : "The model is not available";
  }
  if (status.stalled >= stalled_after) {
    return "No progress for " + std::to_string(status.stalled.count() / 1000) +
           " s with work waiting";
  }
  return {};
}

std::string_view health_word(const llm::Status& status) {
  return status.health == llm::Health::healthy ? "healthy" : "unhealthy";
}

// Each backend for itself. Only the default one decides whether the server is ready.
void write_backends(JsonWriter& json, const llm::Backend& all,
                    const std::vector<llm::NamedStatus>& backends) {
  for (const auto& [name, status] : backends) {
    json.begin_object("backend_" + name);
    json.field("status", health_word(status));
    json.field("detail", status.detail);
    json.field("latency_ms", 0.0);  // what it last knew: nobody is asked
    json.field("model", status.model);
    json.begin_array("models");
    for (const std::string& model : all.models(name, kMostModels)) json.item(model);
    json.end_array();
    json.field("slots", status.slots);
    json.field("running", status.running);
    if (status.model_layers > 0) {
      json.field("device", status.device.empty() ? "CPU" : status.device);
      json.field("gpu_layers", status.gpu_layers);
      json.field("model_layers", status.model_layers);
    }
    json.end_object();
  }
}

std::string trouble(const Result<void>& check) {
  return check ? std::string() : check.error().message;
}

void write_session(JsonWriter& json, const LiveSession& session) {
  const SessionInfo& info = session.info();
  const SessionFigures& figures = session.figures();
  const WallTime active{std::chrono::microseconds{figures.last_activity_us.load()}};
  json.begin_object(info.session_id);
  json.field("client_id", info.claims.client_id);
  json.field("session_id", info.session_id);
  json.field("ip_address", info.ip_address);
  json.field("connected_at", format_rfc3339(info.connected_at));
  json.field("last_activity", format_rfc3339(active));
  json.field("message_count", figures.messages.load());
  json.field("error_count", figures.errors.load());
  json.field("token_count", figures.tokens.load());
  json.field("active_runs", figures.active_runs.load());
  json.field("device_name", info.claims.device_name);
  json.field("device_type", info.claims.device_type);
  json.field("sid", info.claims.family);
  json.end_object();
}

}  // namespace

HealthRoutes::HealthRoutes(Sources sources)
    : from_(sources), started_(sources.clock.wall()), started_steady_(sources.clock.steady()) {}

void HealthRoutes::add_to(RouteTable& table) {
  table.add({"GET",
             "/health",
             Access::open,
             "Says that the process lives; asks nothing else",
             [this](Call& call) { return health(call); },
             {.tag = kTag, .answers = {{200, "It lives", "Health"}}}});
  table.add(
      {"GET",
       "/ready",
       Access::open,
       "Says whether the model and the stores can serve now",
       [this](Call& call) { return ready(call); },
       {.tag = kTag,
        .answers = {
            {200, "They can", "Readiness"},
            {503, "They cannot, or the server shuts down", "Readiness", kJson, {"Retry-After"}}}}});
  table.add({"GET",
             "/metrics",
             Access::open,
             "Prometheus text, or the main figures as JSON",
             [this](Call& call) { return metrics(call); },
             {.tag = kTag,
              .description = "JSON for `Accept: application/json`.",
              .answers = {{200, "The figures", "PrometheusText", "text/plain"},
                          {200, "The figures", "Figures"}}}});
  table.add({"GET",
             "/ws/health",
             Access::open,
             "The state and totals of the WebSocket service",
             [this](Call& call) { return socket_health(call); },
             {.tag = kTag, .answers = {{200, "State and totals", "SocketHealth"}}}});
  table.add({"GET",
             "/ws/sessions",
             Access::optional,
             "The caller's live sessions; an admin sees all",
             [this](Call& call) { return sessions(call); },
             {.tag = "chat",
              .description = "Without a token the number only.",
              .answers = {{200, "The sessions", "SessionList", kJson, {"Cache-Control"}}}}});
}

double HealthRoutes::uptime_seconds() const {
  return std::chrono::duration<double>(from_.clock.steady() - started_steady_).count();
}

std::string HealthRoutes::timestamp() const { return format_rfc3339(from_.clock.wall()); }

HealthRoutes::Answer HealthRoutes::health(Call&) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.field("status", "healthy");
  json.field("service", from_.options.service);
  json.field("version", from_.options.version);
  json.field("timestamp", timestamp());
  json.end_object();
  co_return json_response(200, std::move(body));
}

HealthRoutes::Answer HealthRoutes::ready(Call&) {
  const Check checks[] = {
      timed("ollama", from_.clock,
            [&] { return model_trouble(from_.backend, from_.options.stalled_after); }),
      timed("store", from_.clock, [&] { return trouble(from_.engine.check_store()); }),
      timed("tokens", from_.clock, [&] { return trouble(from_.tokens.check()); }),
      Check{"embedding_model", "disabled", "Retrieval is not part of this version", 0},
  };
  bool well = true;
  for (const Check& check : checks) well = well && is_well(check);
  const bool draining = from_.draining.load();
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.field("status", draining ? "draining" : well ? "ready" : "not_ready");
  json.field("service", from_.options.service);
  json.field("version", from_.options.version);
  json.field("uptime_seconds", uptime_seconds());
  json.field("timestamp", timestamp());
  json.begin_object("checks");
  for (const Check& check : checks) json.field(check.name, check.status);
  const std::vector<llm::NamedStatus> backends = from_.backend.parts();
  for (const auto& [name, status] : backends) json.field("backend_" + name, health_word(status));
  json.end_object().begin_object("details");
  for (const Check& check : checks) {
    json.begin_object(check.name);
    json.field("status", check.status);
    json.field("detail", check.detail);
    json.field("latency_ms", check.latency_ms);
    json.end_object();
  }
  write_backends(json, from_.backend, backends);
  json.end_object().end_object();
  net::HttpResponse response = json_response(well && !draining ? 200 : 503, std::move(body));
  if (response.status == 503) response.headers.emplace_back("Retry-After", "5");
  co_return response;
}

HealthRoutes::Answer HealthRoutes::metrics(Call& call) {
  const chat::Counts runs = from_.engine.counts();
  if (!net::header_lists(call.request.headers, "Accept", "application/json")) {
    for (const auto& [kind, status] : from_.backend.parts()) {
      from_.metrics.set_backend(kind, status.health == llm::Health::healthy, status.running);
    }
    net::HttpResponse response;
    response.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"},
                        {"Vary", "Accept"}};
    response.body = from_.metrics.text();
    co_return response;
  }
  const HubTotals totals = from_.hub.totals();
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.field("service", from_.options.service);
  json.field("version", from_.options.version);
  json.field("uptime_seconds", uptime_seconds());
  json.field("startup_time", format_rfc3339(started_));
  json.field("timestamp", timestamp());
  json.field("active_connections", totals.active_connections);
  json.field("total_connections", totals.connections);
  json.field("total_messages", from_.hub.messages.load());
  json.field("total_tokens", from_.hub.tokens.load());
  json.field("total_errors", from_.hub.errors.load());
  json.field("runs_running", runs.running);
  json.field("runs_waiting", runs.waiting);
  json.end_object();
  net::HttpResponse response = json_response(200, std::move(body));
  response.headers.emplace_back("Vary", "Accept");
  co_return response;
}

HealthRoutes::Answer HealthRoutes::socket_health(Call&) {
  const HubTotals totals = from_.hub.totals();
  const bool well = model_trouble(from_.backend, from_.options.stalled_after).empty();
  const std::string_view backend_status = well ? "healthy" : "unhealthy";
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.field("status", "healthy");
  json.field("service", "websocket");
  json.field("timestamp", timestamp());
  json.begin_object("metrics");
  json.field("active_connections", totals.active_connections);
  json.field("unique_clients", totals.unique_clients);
  json.field("total_connections", totals.connections);
  json.field("total_messages", from_.hub.messages.load());
  json.field("total_tokens", from_.hub.tokens.load());
  json.field("total_errors", from_.hub.errors.load());
  json.field("max_connections", from_.options.max_connections);
  json.end_object();
  json.field("ollama_status", backend_status);
  json.field("backend", from_.options.backend);
  json.field("backend_status", backend_status);
  json.end_object();
  co_return json_response(200, std::move(body));
}

HealthRoutes::Answer HealthRoutes::sessions(Call& call) {
  std::vector<std::shared_ptr<LiveSession>> seen;
  if (call.claims) {
    seen = from_.hub.sessions(call.claims->admin ? std::string_view{} : call.claims->client_id);
  }
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.field("total_sessions", call.claims ? seen.size() : from_.hub.size());
  json.begin_object("sessions");
  for (const auto& session : seen) write_session(json, *session);
  json.end_object();
  json.field("timestamp", timestamp());
  json.end_object();
  net::HttpResponse response = json_response(200, std::move(body));
  response.headers.emplace_back("Cache-Control", "no-store");
  co_return response;
}

}  // namespace tars::api
