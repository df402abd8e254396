#include "config/settings.h"

#include <algorithm>
#include <tuple>

#include "config/checks.h"
#include "config/scalar.h"
#include "llm/backend_names.h"

namespace tars::config {
namespace {

using std::chrono::seconds;

constexpr std::uint16_t kOllamaPort = 11434;
constexpr std::uint16_t kHttpPort = 80;
// Connections for requests that are left when every socket is open.
constexpr std::size_t kBesideSockets = 256;
// Answers that one socket may follow, where no client's own bounds are higher.
constexpr int kFollowedRuns = 64;

seconds in_seconds(const Values& values, std::string_view name) {
  return seconds{values.integer(name)};
}

std::size_t as_size(const Values& values, std::string_view name) {
  return static_cast<std::size_t>(values.integer(name));
}

int as_int(const Values& values, std::string_view name) {
  return static_cast<int>(values.integer(name));
}

net::ServerOptions server_options(const Values& values) {
  net::ServerOptions out;
  out.host = values.text("TARS_HOST");
  // `localhost` is ::1 to some clients (Node.js 17 to 19) where the machine names both so.
  if (!values.is_given("TARS_HOST") || equal_ignoring_case(out.host, "localhost")) {
    out.second_host = "::1";
  }
  out.port = static_cast<std::uint16_t>(values.integer("TARS_PORT"));
  out.io_threads = as_int(values, "IO_THREADS");
  out.threads_come_first = values.text("IO_PRIORITY") == "auto";
  out.max_header_bytes = as_size(values, "HTTP_MAX_HEADER_BYTES");
  out.max_body_bytes = as_size(values, "HTTP_MAX_BODY_BYTES");
  out.max_message_bytes = as_size(values, "WS_MAX_MESSAGE_BYTES");
  out.max_connections = as_size(values, "HTTP_MAX_CONNECTIONS");
  // Sockets past their own bound are told so, and /health answers beside them.
  if (!values.is_given("HTTP_MAX_CONNECTIONS")) {
    out.max_connections =
        std::max(out.max_connections, as_size(values, "WS_MAX_CONNECTIONS") + kBesideSockets);
  }
  out.header_timeout = in_seconds(values, "HTTP_HEADER_TIMEOUT");
  out.body_timeout = in_seconds(values, "HTTP_BODY_TIMEOUT");
  out.idle_timeout = in_seconds(values, "HTTP_IDLE_TIMEOUT");
  if (values.boolean("HTTPS_ENABLED")) {
    out.tls_certificate = values.path("TLS_CERT_PATH");
    out.tls_key = values.path("TLS_KEY_PATH");
  }
  return out;
}

auth::Enrollment enrollment(const Values& values) {
  const std::string& mode = values.text("AUTH_ENROLLMENT");
  if (mode == "key") return auth::Enrollment::key;
  if (mode == "closed") return auth::Enrollment::closed;
  if (mode == "open") return auth::Enrollment::open;
  const bool open =
      is_loopback(values.text("TARS_HOST")) || values.text("TARS_ENV") == "development";
  return open ? auth::Enrollment::open : auth::Enrollment::key;
}

auth::Options auth_options(const Values& values) {
  auth::Options out;
  out.secret_key = values.text("JWT_SECRET_KEY");
  if (values.is_set("JWT_PREVIOUS_SECRET_KEY")) {
    out.previous_secret_key = values.text("JWT_PREVIOUS_SECRET_KEY");
  }
  out.previous_valid_until = values.time("JWT_PREVIOUS_VALID_UNTIL");
  out.access_lifetime = std::chrono::hours{values.integer("JWT_EXPIRATION_HOURS")};
  out.refresh_lifetime = std::chrono::days{values.integer("JWT_REFRESH_EXPIRATION_DAYS")};
  out.refresh_grace = in_seconds(values, "REFRESH_GRACE_SECONDS");
  out.enrollment = enrollment(values);
  out.enrollment_key = values.text("AUTH_ENROLLMENT_KEY");
  out.admin_clients = values.list("ADMIN_CLIENTS");
  return out;
}

chat::Options chat_options(const Values& values) {
  chat::Options out;
  out.grace = in_seconds(values, "RUN_GRACE_SECONDS");
  out.retention = std::chrono::hours{values.integer("RUN_RETENTION_HOURS")};
  std::tie(out.running_per_client, out.waiting_per_client) = values.pair("RUNS_PER_CLIENT");
  out.waiting_total = as_int(values, "RUNS_WAITING");
  // A model server may have instructions of its own (Ollama's SYSTEM), which ours would replace.
  const bool has_own =
      values.text("LLM_BACKEND") != llm::kEmbeddedBackend && !values.is_given("SYSTEM_PROMPT");
  if (!has_own && !equal_ignoring_case(values.text("SYSTEM_PROMPT"), "none")) {
    out.system_prompt = values.text("SYSTEM_PROMPT");
  }
  return out;
}

llm::LlamaOptions llm_options(const Values& values) {
  llm::LlamaOptions out;
  out.model_path = values.path("MODEL_PATH");
  out.threads = as_int(values, "MODEL_THREADS");
  out.gpu_layers = equal_ignoring_case(values.text("MODEL_GPU_LAYERS"), "auto")
                       ? llm::LlamaOptions{}.gpu_layers
                       : as_int(values, "MODEL_GPU_LAYERS");
  out.context_length = as_int(values, "MODEL_CONTEXT_LENGTH");
  out.slots = as_int(values, "MODEL_SLOTS");
  return out;
}

// Of addresses that checks.h has not refused.
std::vector<net::Endpoint> endpoints(const std::vector<std::string>& addresses,
                                     std::uint16_t default_port) {
  std::vector<net::Endpoint> out;
  for (const std::string& address : addresses) {
    if (auto endpoint = net::parse_endpoint(address, default_port)) out.push_back(*endpoint);
  }
  return out;
}

llm::RemoteOptions remote_options(const Values& values) {
  llm::RemoteOptions out;
  out.slots = as_int(values, "UPSTREAM_MAX_RUNS");
  out.connect_timeout = in_seconds(values, "UPSTREAM_CONNECT_TIMEOUT");
  out.first_token_timeout = in_seconds(values, "UPSTREAM_FIRST_TOKEN_TIMEOUT");
  out.idle_timeout = in_seconds(values, "UPSTREAM_IDLE_TIMEOUT");
  out.ca_file = values.path("UPSTREAM_CA_FILE").string();
  return out;
}

void bind_backends(const Values& values, Settings& out) {
  const std::string& backend = values.text("LLM_BACKEND");
  out.embedded = backend == llm::kEmbeddedBackend || values.is_set("MODEL_PATH");
  if (backend == llm::kOllamaBackend || values.is_set("OLLAMA_HOST")) {
    out.ollama = remote_options(values);
    out.ollama->hosts = endpoints(values.list("OLLAMA_HOST"), kOllamaPort);
    if (!values.is_set("OLLAMA_HOST")) out.ollama->hosts = endpoints({"127.0.0.1"}, kOllamaPort);
    out.ollama->model = values.text("OLLAMA_MODEL");
    out.ollama->context_length = as_int(values, "MODEL_CONTEXT_LENGTH");
  }
  if (backend == llm::kOpenAiBackend || values.is_set("OPENAI_BASE_URL")) {
    out.openai = remote_options(values);
    out.openai->hosts = endpoints({values.text("OPENAI_BASE_URL")}, kHttpPort);
    out.openai->model = values.text("OPENAI_MODEL");
    out.openai->api_key = values.text("OPENAI_API_KEY");
    out.openai->context_length = as_int(values, "MODEL_CONTEXT_LENGTH");
  }
}

api::Options api_options(const Values& values) {
  api::Options out;
  out.backend = values.text("LLM_BACKEND");
  out.development = values.text("TARS_ENV") == "development";
  out.cors_origins = values.list("CORS_ORIGINS");
  out.trusted_proxies = values.list("TRUSTED_PROXIES");
  // Behind a proxy the name is the proxy's own; elsewhere it is the network's.
  out.refuse_foreign_names = enrollment(values) == auth::Enrollment::open &&
                             is_loopback(values.text("TARS_HOST")) && out.trusted_proxies.empty();
  out.strict_transport = values.text("TARS_ENV") == "production";
  out.heartbeat_interval = in_seconds(values, "WS_HEARTBEAT_INTERVAL");
  out.idle_timeout = in_seconds(values, "WS_TIMEOUT_SECONDS");
  out.max_connections = as_size(values, "WS_MAX_CONNECTIONS");
  out.max_connections_per_client = as_size(values, "WS_MAX_CONNECTIONS_PER_CLIENT");
  out.control_queue = as_size(values, "WS_MESSAGE_QUEUE_SIZE");
  const auto [running, waiting] = values.pair("RUNS_PER_CLIENT");
  out.max_followed_runs = static_cast<std::size_t>(std::max(kFollowedRuns, running + waiting));
  out.messages_per_second = as_int(values, "WS_RATE_MESSAGES_PER_SECOND");
  out.message_burst = as_int(values, "WS_RATE_BURST");
  out.sampling.temperature = static_cast<float>(values.number("MODEL_TEMPERATURE"));
  out.sampling.top_p = static_cast<float>(values.number("MODEL_TOP_P"));
  out.sampling.top_k = as_int(values, "MODEL_TOP_K");
  out.max_tokens = as_int(values, "MODEL_MAX_TOKENS");
  out.sampling.max_tokens = out.max_tokens;
  out.auth_rate_per_minute = as_int(values, "RATE_LIMIT_PER_MINUTE");
  return out;
}

telemetry::LogLevel log_level(std::string_view name) {
  using telemetry::LogLevel;
  if (name == "TRACE") return LogLevel::trace;
  if (name == "DEBUG") return LogLevel::debug;
  if (name == "WARN" || name == "WARNING") return LogLevel::warning;
  if (name == "ERROR" || name == "CRITICAL") return LogLevel::error;
  return LogLevel::info;
}

std::vector<std::filesystem::path> model_candidates(const Values& values) {
  const std::filesystem::path model = std::filesystem::path("models") / "chat.gguf";
  std::vector<std::filesystem::path> out = {values.path("TARS_DATA_DIR") / model};
  if (values.is_set("TARS_CACHE_DIR")) {
    out.push_back(values.path("TARS_CACHE_DIR") / model);
  } else if (!values.cache_home().empty()) {
    out.push_back(values.cache_home() / "tars" / model);
  }
  return out;
}

Environment environment(std::string_view name) {
  if (name == "development") return Environment::development;
  if (name == "production") return Environment::production;
  return Environment::unset;
}

Settings bind(const Values& values) {
  Settings out;
  out.server = server_options(values);
  out.auth = auth_options(values);
  out.chat = chat_options(values);
  out.llm = llm_options(values);
  out.api = api_options(values);
  bind_backends(values, out);
  out.environment = environment(values.text("TARS_ENV"));
  out.data_dir = values.path("TARS_DATA_DIR");
  out.model_candidates = model_candidates(values);
  out.log_level = log_level(values.text("LOG_LEVEL"));
  out.log_format =
      values.text("LOG_FORMAT") == "json" ? telemetry::LogFormat::json : telemetry::LogFormat::text;
  out.log_file = values.path("LOG_FILE");
  out.upstream_ca_file = values.path("UPSTREAM_CA_FILE").string();
  out.drain = in_seconds(values, "DRAIN_SECONDS");
  out.make_secret_key = out.auth.secret_key.empty();
  out.make_enrollment_key =
      out.auth.enrollment == auth::Enrollment::key && out.auth.enrollment_key.empty();
  return out;
}

}  // namespace

Result<Loaded> load(const Sources& sources) {
  Result<Values> values = Values::merge(sources);
  if (!values) return values.error();
  Settings settings = bind(*values);
  if (auto checked = check_settings(*values, settings); !checked) return checked.error();
  std::vector<std::string> warnings = values->warnings();
  for (std::string& warning : setting_warnings(*values, settings)) {
    warnings.push_back(std::move(warning));
  }
  return Loaded{std::move(settings), *std::move(values), std::move(warnings)};
}

}  // namespace tars::config
