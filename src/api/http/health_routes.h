// Health, readiness, metrics and the list of sessions.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <atomic>

#include "api/http/call.h"
#include "api/http/route_table.h"
#include "api/options.h"
#include "api/ws/hub.h"
#include "auth/token_service.h"
#include "base/clock.h"
#include "chat/engine.h"
#include "llm/backend.h"
#include "telemetry/metrics.h"

namespace tars::api {

// Borrows everything, which outlives it. Any thread.
class HealthRoutes {
 public:
  struct Sources {
    auth::TokenService& tokens;
    chat::Engine& engine;
    llm::Backend& backend;
    telemetry::Metrics& metrics;
    const Hub& hub;
    const Clock& clock;
    const Options& options;
    const std::atomic<bool>& draining;
  };

  explicit HealthRoutes(Sources sources);
  void add_to(RouteTable& table);

 private:
  using Answer = boost::asio::awaitable<Result<net::HttpResponse>>;
  Answer health(Call& call);
  Answer ready(Call& call);
  Answer metrics(Call& call);
  Answer socket_health(Call& call);
  Answer sessions(Call& call);
  double uptime_seconds() const;
  std::string timestamp() const;

  const Sources from_;
  const WallTime started_;
  const SteadyTime started_steady_;
};

}  // namespace tars::api
