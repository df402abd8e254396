// How the wire behaves: what an operator can set, then what is the same everywhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "llm/backend.h"
#include "llm/backend_names.h"

namespace tars::api {

struct Options {
  std::string backend = llm::kEmbeddedBackend;  // LLM_BACKEND, as /ws/health reports it
  bool development = false;  // `*` in cors_origins counts only then
  // Origins besides the server's own that browsers may call from: scheme://host[:port].
  std::vector<std::string> cors_origins;
  // Pages that reached this server by a foreign host name are refused: OriginPolicy::is_rebound().
  bool refuse_foreign_names = false;

  // Proxies whose Forwarded and X-Forwarded-* headers are taken: addresses and networks.
  std::vector<std::string> trusted_proxies;
  // Browsers are told to use HTTPS only for a year (RFC 6797). It holds for every port of the host
  // name, so it is for a host with no plain services beside this one.
  bool strict_transport = false;

  // -- sockets
  std::chrono::milliseconds heartbeat_interval{std::chrono::seconds{30}};
  std::chrono::milliseconds idle_timeout{
      std::chrono::seconds{300}};  // without any frame from the client
  std::size_t max_connections = 1024;  // more: 1013
  std::size_t max_connections_per_client = 64;  // more: 1013
  std::size_t control_queue = 100;  // frames that are no tokens, per socket; full: 1013
  int messages_per_second = 20;  // per socket; past it RATE_LIMITED, the socket stays
  int message_burst = 60;
  std::size_t max_followed_runs = 64;  // per socket; past it OVERLOADED

  // -- chat
  llm::Sampling sampling;  // what a chat message that says nothing gets
  int max_tokens = 2048;  // the most that a chat message may ask for

  // -- http
  int auth_rate_per_minute = 60;  // per address, /auth/token and /auth/refresh; 0 = no limit

  // -- no option sets these: the program says its version, and tests set the times
  std::string service = "tars";
  std::string version = "0.1.0";
  std::chrono::milliseconds queued_after{250};  // a run that waits longer is told its position
  std::chrono::milliseconds slow_reader{
      std::chrono::seconds{60}};  // without progress: 1013 slow_consumer
  std::chrono::seconds expiry_warning{60};  // before the token's `exp`
  std::chrono::milliseconds close_patience{
      500};  // a writer stuck longer than this at a close is dropped
  // An /auth call that waits longer for the disk is answered store_unavailable.
  std::chrono::milliseconds store_patience{std::chrono::seconds{30}};
  std::chrono::seconds stalled_after{30};  // work without progress: /ready fails
};

}  // namespace tars::api
