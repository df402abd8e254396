// The wire as a whole: what the HTTP server asks, answered from the parts below.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "api/docs/docs_routes.h"
#include "api/http/auth_routes.h"
#include "api/http/forwarded.h"
#include "api/http/health_routes.h"
#include "api/http/origin.h"
#include "api/http/route_table.h"
#include "api/options.h"
#include "api/ws/hub.h"
#include "api/ws/session.h"
#include "auth/token_service.h"
#include "base/clock.h"
#include "chat/engine.h"
#include "llm/backend.h"
#include "net/server.h"
#include "telemetry/metrics.h"

namespace tars::api {

// Owns the routes and the list of sessions; borrows the rest. Thread-safe. The server that runs it
// may go only after the engine and the tokens were shut down: their callbacks post to its threads.
class Gateway final : public net::Application {
 public:
  Gateway(auth::TokenService& tokens, chat::Engine& engine, llm::Backend& backend,
          telemetry::Metrics& metrics, const Clock& clock, Options options);
  ~Gateway() override;
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Not for what no route takes: 404, 405, and the answer to OPTIONS.
  bool needs_body(const net::HttpRequest& request) const override;
  boost::asio::awaitable<net::HttpResponse> handle(net::HttpRequest request) override;
  // Not for a resource that is no WebSocket.
  bool may_upgrade(const net::HttpRequest& request) const override;
  boost::asio::awaitable<std::variant<net::HttpResponse, net::Upgrade>> upgrade(
      net::HttpRequest request) override;
  net::HttpResponse error_response(unsigned status, std::string_view detail,
                                   const net::HttpRequest& request) override;

  // No new sockets or chats from now on; sockets without running answers close with 1001 now, the
  // others when their answers have ended. /ready says draining. Does not drain the engine.
  void begin_drain();
  // Every socket closes with this code, whatever runs on it.
  void close_all(net::CloseCode code, const std::string& reason);
  std::size_t open_sockets() const { return hub_.size(); }
  // Of one client's family.
  std::size_t sockets_of(const std::string& client_id, const std::string& family) const {
    return hub_.sockets_of(client_id, family);
  }

  std::span<const Route> routes() const { return routes_.routes(); }

 private:
  // What a handshake found out, for the session that follows.
  struct Admission {
    std::string token;
    std::string ip_address;
    bool sent = false;
    std::string traceparent;
    net::WsClosed refusal;  // how to close a socket that begin_session() let go
  };

  boost::asio::awaitable<net::HttpResponse> answer(Call& call, const RouteTable::Match& match);
  Result<void> authenticate(Call& call, Access access) const;
  net::HttpResponse preflight(const net::HttpRequest& request,
                              const RouteTable::Match& match) const;
  boost::asio::awaitable<Result<net::HttpResponse>> socket_only(Call& call) const;
  void finish(const net::HttpRequest& request, const Trace& trace,
              net::HttpResponse& response) const;
  boost::asio::awaitable<void> run_session(std::shared_ptr<Admission> admission,
                                           std::unique_ptr<net::WebSocket> socket);
  // In the list of sessions, with the socket; or null, the socket still there and `refusal` set.
  std::shared_ptr<Session> begin_session(Admission& admission,
                                         std::unique_ptr<net::WebSocket>& socket);
  Result<SessionInfo> admit(const Admission& admission) const;

  const Options options_;
  auth::TokenService& tokens_;
  chat::Engine& engine_;
  telemetry::Metrics& metrics_;
  const Clock& clock_;
  std::atomic<bool> draining_{false};
  Hub hub_;
  OriginPolicy origins_;
  TrustedProxies proxies_;
  AuthRoutes auth_routes_;
  HealthRoutes health_routes_;
  DocsRoutes docs_routes_;
  RouteTable routes_;
};

}  // namespace tars::api
