// Who is connected: every live session, from all threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/token_service.h"
#include "base/clock.h"
#include "base/error.h"
#include "net/websocket.h"

namespace tars::api {

// What never changes about a session.
struct SessionInfo {
  std::string session_id;
  auth::Claims claims;  // of the access token that it came with
  std::string ip_address;
  WallTime connected_at{};
  std::string traceparent = {};  // of the handshake, joined; empty = the client sent none
};

// What a session tells about itself; written on its own thread, read from any.
struct SessionFigures {
  std::atomic<std::int64_t> last_activity_us{0};  // microseconds since 1970
  std::atomic<std::uint64_t> messages{0};
  std::atomic<std::uint64_t> errors{0};
  std::atomic<std::uint64_t> tokens{0};
  std::atomic<std::uint32_t> active_runs{0};
};

// A session as the rest of the program sees it. Every member may be called from any thread and only
// posts to the session's own.
class LiveSession {
 public:
  virtual ~LiveSession() = default;
  virtual const SessionInfo& info() const = 0;
  virtual const SessionFigures& figures() const = 0;
  // Its token is no longer good: its runs stop, it is told, it closes with 1008.
  virtual void revoke() = 0;
  // Closes with 1001 once no answer runs on it.
  virtual void drain() = 0;
  virtual void shut(net::CloseCode code, std::string reason) = 0;
  // Answers are not being stored for this reason, "" = they are again. A session with running
  // answers says so in a `system` warning, another one once it has some.
  virtual void store_changed(const std::string& trouble) = 0;
};

struct HubTotals {
  std::size_t active_connections = 0;
  std::size_t unique_clients = 0;
  std::uint64_t connections = 0;
};

// Owns the list of sessions, not their lives. Thread-safe; bounded by the two limits.
class Hub {
 public:
  Hub(std::size_t max_connections, std::size_t max_per_client);

  // overloaded past a limit; the message is the close reason.
  Result<void> add(std::shared_ptr<LiveSession> session);
  void remove(const SessionInfo& info);

  // Counts revocations: a token that was verified before the count changed is to be verified again
  // once its session is in the list, so that none slips between the two.
  std::uint64_t revocations() const { return revocations_.load(std::memory_order_acquire); }
  void revoke(const auth::Revocation& revocation);
  void drain();
  void close_all(net::CloseCode code, const std::string& reason);
  // Tells all sessions, those that come later too.
  void set_store_trouble(const std::string& trouble);
  std::string store_trouble() const;

  std::size_t size() const;
  std::size_t sockets_of(std::string_view client_id, std::string_view family) const;
  HubTotals totals() const;
  // Those of one client, or all for an empty name.
  std::vector<std::shared_ptr<LiveSession>> sessions(std::string_view client_id) const;

  // Totals since the start, over all sessions that ever were.
  std::atomic<std::uint64_t> messages{0};
  std::atomic<std::uint64_t> tokens{0};
  std::atomic<std::uint64_t> errors{0};

 private:
  const std::size_t max_connections_;
  const std::size_t max_per_client_;
  std::atomic<std::uint64_t> revocations_{0};
  mutable std::mutex mutex_;
  std::uint64_t connections_ = 0;
  // By session_id, which the session itself holds.
  std::unordered_map<std::string_view, std::shared_ptr<LiveSession>> sessions_;
  std::unordered_map<std::string, std::size_t> per_client_;
  std::string store_trouble_;
};

}  // namespace tars::api
