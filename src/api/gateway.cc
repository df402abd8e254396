#include "api/gateway.h"

#include "api/http/credentials.h"
#include "api/http/problem.h"
#include "base/ids.h"
#include "telemetry/log.h"

namespace tars::api {

using boost::asio::awaitable;
using telemetry::LogLevel;

namespace {

constexpr std::string_view kSocketPath = "/ws/chat";

ProblemPlace place_of(const net::HttpRequest& request, const Trace& trace) {
  return {request.target, trace.trace_id, request.request_id, bearer_token(request).has_value()};
}

// An answer of an API is no page: it loads nothing, is shown in no frame, and says to nobody where
// a reader came from. A page brings a policy of its own.
void add_security_headers(net::HttpResponse& response) {
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("X-Frame-Options", "DENY");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  if (!net::find_header(response.headers, "Content-Security-Policy")) {
    response.headers.emplace_back("Content-Security-Policy",
                                  "default-src 'none'; frame-ancestors 'none'");
  }
}

// In a log line; a caller without a trace has no id.
std::string_view logged(const Trace& trace) {
  return trace.trace_id.empty() ? std::string_view("-") : std::string_view(trace.trace_id);
}

Error foreign_name() {
  return make_error(ErrorCode::forbidden,
                    "This server does not know the host name of the page; add its origin to "
                    "CORS_ORIGINS");
}

ProblemPlace place_of(const Call& call) { return place_of(call.request, call.trace); }

// The header tells it from a media type that is not taken (RFC 9110 section 15.5.16).
net::HttpResponse encoded_body_response(const Call& call) {
  net::HttpResponse response =
      problem_response(make_error(ErrorCode::unsupported_media_type,
                                  "Send the body as it is, without a Content-Encoding"),
                       place_of(call));
  response.headers.emplace_back("Accept-Encoding", "identity");
  return response;
}

}  // namespace

Gateway::Gateway(auth::TokenService& tokens, chat::Engine& engine, llm::Backend& backend,
                 telemetry::Metrics& metrics, const Clock& clock, Options options)
    : options_(std::move(options)),
      tokens_(tokens),
      engine_(engine),
      metrics_(metrics),
      clock_(clock),
      hub_(options_.max_connections, options_.max_connections_per_client),
      origins_(options_.cors_origins, options_.development),
      proxies_(options_.trusted_proxies),
      auth_routes_(tokens, hub_, clock, options_),
      health_routes_({tokens, engine, backend, metrics, hub_, clock, options_, draining_}),
      docs_routes_(options_) {
  auth_routes_.add_to(routes_);
  health_routes_.add_to(routes_);
  routes_.add({"GET",
               std::string(kSocketPath),
               Access::open,
               "Chat over WebSocket; without an upgrade, 426",
               [this](Call& call) { return socket_only(call); },
               {}});
  docs_routes_.add_to(routes_);
  docs_routes_.describe(routes_.routes());
  tokens_.set_revocation_listener([this](const auth::Revocation& revocation) {
    engine_.revoke(revocation.client_id, revocation.family, revocation.token_id);
    hub_.revoke(revocation);
  });
  engine_.set_store_listener(
      [this](const std::string& trouble) { hub_.set_store_trouble(trouble); });
}

Gateway::~Gateway() {
  tokens_.set_revocation_listener({});
  engine_.set_store_listener({});
}

void Gateway::begin_drain() {
  draining_ = true;
  hub_.drain();
}

void Gateway::close_all(net::CloseCode code, const std::string& reason) {
  hub_.close_all(code, reason);
}

bool Gateway::needs_body(const net::HttpRequest& request) const {
  return routes_.match(request.method, request.path).route != nullptr;
}

awaitable<net::HttpResponse> Gateway::handle(net::HttpRequest request) {
  const SteadyTime begun = clock_.steady();
  proxies_.apply(request);
  Call call{request, join_trace(request.headers), {}, {}, std::nullopt};
  call.bearer = bearer_token(request);
  const RouteTable::Match match = routes_.match(request.method, request.path);
  call.parameter = match.parameter;
  net::HttpResponse response;
  try {
    response = co_await answer(call, match);
  } catch (const std::exception& fault) {
    telemetry::log(LogLevel::error, "a request failed",
                   {{"request_id", request.request_id},
                    {"trace_id", logged(call.trace)},
                    {"target", telemetry::redact_url(request.target)},
                    {"what", fault.what()}});
    response = problem_response(
        make_error(ErrorCode::internal, "The server failed; its log says why"), place_of(call));
  }
  finish(request, call.trace, response);
  const std::chrono::duration<double> took = clock_.steady() - begun;
  const std::string_view route =
      match.route != nullptr ? std::string_view(match.route->path) : "other";
  metrics_.count_request(route, match.route != nullptr ? request.method : "other", response.status,
                         took.count());
  if (telemetry::log_enabled(LogLevel::debug)) {
    telemetry::log(LogLevel::debug, "request",
                   {{"request_id", request.request_id},
                    {"trace_id", logged(call.trace)},
                    {"method", request.method},
                    {"target", telemetry::redact_url(request.target)},
                    {"status", response.status},
                    {"seconds", took.count()}});
  }
  co_return response;
}

awaitable<net::HttpResponse> Gateway::answer(Call& call, const RouteTable::Match& match) {
  const net::HttpRequest& request = call.request;
  if (match.route == nullptr) {
    // Of the server and no path of it (RFC 9110 section 9.3.7).
    if (request.method == "OPTIONS" && request.path == "*")
      co_return net::HttpResponse{204, {}, {}};
    if (match.allow.empty()) {
      co_return problem_response(make_error(ErrorCode::not_found, "There is nothing at this path"),
                                 place_of(call));
    }
    if (request.method == "OPTIONS") co_return preflight(request, match);
    net::HttpResponse response = problem_response(
        make_error(ErrorCode::method_not_allowed, "This path answers " + match.allow),
        place_of(call));
    response.headers.emplace_back("Allow", match.allow);
    co_return response;
  }
  if (options_.refuse_foreign_names && origins_.is_rebound(request)) {
    co_return problem_response(foreign_name(), place_of(call));
  }
  if (const auto allowed = authenticate(call, match.route->access); !allowed) {
    co_return problem_response(allowed.error(), place_of(call));
  }
  if (!match.route->docs.request.empty() && has_encoded_body(request)) {
    co_return encoded_body_response(call);
  }
  // The one body that a page of another site can send without a preflight (Fetch, section 4.8), to
  // enrol or to use up the limit; a program may leave the type out.
  if (!request.body.empty() && !request.header("Content-Type") && !origins_.admits(request)) {
    co_return problem_response(json_expected(), place_of(call));
  }
  Result<net::HttpResponse> result = co_await match.route->handler(call);
  if (result) co_return std::move(*result);
  ProblemPlace place = place_of(call);
  // The refresh token of a body counts as sent, too.
  place.token_sent = place.token_sent || result.error().code != ErrorCode::unauthorized;
  co_return problem_response(result.error(), place);
}

Result<void> Gateway::authenticate(Call& call, Access access) const {
  if (access == Access::open || access == Access::examined) return {};
  if (access == Access::optional && !call.bearer) return {};
  if (!call.bearer) return make_error(ErrorCode::unauthorized, "token_missing");
  Result<auth::Claims> claims = tokens_.verify(*call.bearer, auth::TokenType::access);
  if (!claims) return claims.error();
  tokens_.touch(*claims);
  call.claims = std::move(*claims);
  return {};
}

net::HttpResponse Gateway::preflight(const net::HttpRequest& request,
                                     const RouteTable::Match& match) const {
  net::HttpResponse response;
  response.status = 204;
  response.headers = {{"Allow", match.allow}};
  const auto origin = request.header("Origin");
  if (origin && origins_.is_listed(*origin) && request.header("Access-Control-Request-Method")) {
    response.headers.emplace_back("Access-Control-Allow-Methods", match.allow);
    response.headers.emplace_back("Access-Control-Allow-Headers",
                                  "Authorization, Content-Type, X-Request-ID, traceparent");
    response.headers.emplace_back("Access-Control-Max-Age", "600");
  }
  return response;
}

awaitable<Result<net::HttpResponse>> Gateway::socket_only(Call& call) const {
  net::HttpResponse response = problem_response(
      426, "This path speaks WebSocket: connect with ws:// or wss://", place_of(call));
  response.headers.emplace_back("Upgrade", "websocket");
  co_return response;
}

// What every answer carries.
void Gateway::finish(const net::HttpRequest& request, const Trace& trace,
                     net::HttpResponse& response) const {
  add_security_headers(response);
  if (request.secure && options_.strict_transport) {
    response.headers.emplace_back("Strict-Transport-Security", "max-age=31536000");
  }
  if (request.path.starts_with("/auth/") && !net::find_header(response.headers, "Cache-Control")) {
    response.headers.emplace_back("Cache-Control", "no-store");
  }
  if (!trace.traceparent.empty()) response.headers.emplace_back("traceparent", trace.traceparent);
  if (const auto origin = request.header("Origin"); origin && origins_.is_listed(*origin)) {
    response.headers.emplace_back("Access-Control-Allow-Origin", std::string(*origin));
    response.headers.emplace_back("Access-Control-Expose-Headers", "X-Request-ID, Retry-After");
  }
  if (origins_.lists_any()) response.headers.emplace_back("Vary", "Origin");
  response.close = response.close || draining_.load(std::memory_order_relaxed);
}

net::HttpResponse Gateway::error_response(unsigned status, std::string_view detail,
                                          const net::HttpRequest& request) {
  net::HttpRequest head;  // without the body, which may be long
  head.target = request.target;
  head.path = request.path;
  head.headers = request.headers;
  head.remote_address = request.remote_address;
  head.secure = request.secure;
  head.request_id = request.request_id;
  proxies_.apply(head);
  const Trace trace = join_trace(head.headers);
  net::HttpResponse response = problem_response(status, detail, place_of(head, trace));
  // Where it was to go is not always known.
  response.headers.emplace_back("Cache-Control", "no-store");
  finish(head, trace, response);
  metrics_.count_request("other", "other", status, 0);
  return response;
}

// Where there is nothing, the refusal says where the WebSocket is.
bool Gateway::may_upgrade(const net::HttpRequest& request) const {
  if (request.path == kSocketPath) return true;
  const RouteTable::Match match = routes_.match(request.method, request.path);
  return match.route == nullptr && match.allow.empty();
}

awaitable<std::variant<net::HttpResponse, net::Upgrade>> Gateway::upgrade(
    net::HttpRequest request) {
  proxies_.apply(request);
  const Trace trace = join_trace(request.headers);
  std::optional<Error> refusal;
  if (request.path != kSocketPath) {
    refusal = make_error(ErrorCode::not_found, "The WebSocket is at /ws/chat");
  } else if (draining_) {
    refusal =
        make_error(ErrorCode::draining, "The server is shutting down; connect again in a moment");
  } else if (options_.refuse_foreign_names && origins_.is_rebound(request)) {
    refusal = foreign_name();
  } else if (!origins_.admits(request)) {
    refusal =
        make_error(ErrorCode::forbidden, "This origin may not connect; add it to CORS_ORIGINS");
  }
  if (refusal) {
    net::HttpResponse response = problem_response(*refusal, place_of(request, trace));
    finish(request, trace, response);
    metrics_.count_request(request.path == kSocketPath ? kSocketPath : "other", request.method,
                           response.status, 0);
    co_return response;
  }
  SocketCredentials credentials = socket_credentials(request);
  auto admission = std::make_shared<Admission>(Admission{std::move(credentials.token),
                                                         request.remote_address,
                                                         credentials.sent,
                                                         trace.traceparent,
                                                         {}});
  net::Upgrade accepted;
  accepted.subprotocol = std::move(credentials.subprotocol);
  accepted.traceparent = trace.traceparent;
  accepted.session = [this, admission](std::unique_ptr<net::WebSocket> socket) {
    return run_session(admission, std::move(socket));
  };
  co_return accepted;
}

// The handshake is done; whatever is wrong with the token is now a close reason. This frame lives
// as long as the connection, so what is only needed to begin stays out of it.
awaitable<void> Gateway::run_session(std::shared_ptr<Admission> admission,
                                     std::unique_ptr<net::WebSocket> socket) {
  metrics_.websocket_accepted.Increment();
  const std::shared_ptr<Session> session = begin_session(*admission, socket);
  if (!session) {
    metrics_.count_websocket_close(static_cast<unsigned>(admission->refusal.code),
                                   admission->refusal.reason);
    co_await socket->close(admission->refusal.code, admission->refusal.reason);
    co_return;
  }
  // Not kept for the life of the connection: it costs memory, and it is a secret.
  *admission = Admission{};
  admission.reset();
  co_await session->run();
  tokens_.touch(session->info().claims);
}

std::shared_ptr<Session> Gateway::begin_session(Admission& admission,
                                                std::unique_ptr<net::WebSocket>& socket) {
  const std::uint64_t revocations = hub_.revocations();
  Result<SessionInfo> info = admit(admission);
  if (!info) {
    const bool broken = info.error().code == ErrorCode::store_unavailable;
    admission.refusal = broken
                            ? net::WsClosed{net::CloseCode::try_again_later, "store_unavailable"}
                            : net::WsClosed{net::CloseCode::policy_violation, info.error().message};
    return nullptr;
  }
  const SessionServices services{engine_, hub_, metrics_, clock_, options_};
  auto session = std::make_shared<Session>(*std::move(info), services, std::move(socket));
  if (const Result<void> added = hub_.add(session); !added) {
    admission.refusal = {net::CloseCode::try_again_later, added.error().message};
    socket = session->give_up();
    return nullptr;
  }
  if (hub_.revocations() != revocations && !admit(admission)) session->revoke();
  if (draining_) session->drain();
  return session;
}

Result<SessionInfo> Gateway::admit(const Admission& admission) const {
  if (admission.token.empty()) {
    return make_error(ErrorCode::unauthorized, admission.sent ? "token_invalid" : "token_missing");
  }
  Result<auth::Claims> claims = tokens_.verify(admission.token, auth::TokenType::access);
  if (!claims) return claims.error();
  // The leeway is for clocks that differ; a session would end as soon as it had begun.
  if (claims->good_until <= unix_seconds(clock_.wall())) {
    return make_error(ErrorCode::invalid_token, "token_expired");
  }
  tokens_.touch(*claims);
  return SessionInfo{make_id("ses"), *std::move(claims), admission.ip_address, clock_.wall(),
                     admission.traceparent};
}

}  // namespace tars::api
