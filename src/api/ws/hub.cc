#include "api/ws/hub.h"

#include <algorithm>

namespace tars::api {

Hub::Hub(std::size_t max_connections, std::size_t max_per_client)
    : max_connections_(max_connections), max_per_client_(max_per_client) {}

Result<void> Hub::add(std::shared_ptr<LiveSession> session) {
  const SessionInfo& info = session->info();
  const std::lock_guard lock(mutex_);
  if (sessions_.size() >= max_connections_) {
    return make_error(ErrorCode::overloaded, "too_many_connections");
  }
  std::size_t& of_client = per_client_[info.claims.client_id];
  if (of_client >= max_per_client_) {
    return make_error(ErrorCode::overloaded, "too_many_connections_for_client");
  }
  ++of_client;
  ++connections_;
  sessions_.emplace(std::string_view(info.session_id), std::move(session));
  return {};
}

void Hub::remove(const SessionInfo& info) {
  const std::lock_guard lock(mutex_);
  if (sessions_.erase(info.session_id) == 0) return;
  const auto of_client = per_client_.find(info.claims.client_id);
  if (of_client != per_client_.end() && --of_client->second == 0) per_client_.erase(of_client);
}

void Hub::revoke(const auth::Revocation& revocation) {
  revocations_.fetch_add(1, std::memory_order_acq_rel);
  for (const auto& session : sessions(revocation.client_id)) {
    const SessionInfo& info = session->info();
    const bool same_token =
        revocation.token_id.empty() || revocation.token_id == info.claims.token_id;
    if (info.claims.family == revocation.family && same_token) session->revoke();
  }
}

void Hub::drain() {
  for (const auto& session : sessions({})) session->drain();
}

void Hub::close_all(net::CloseCode code, const std::string& reason) {
  for (const auto& session : sessions({})) session->shut(code, reason);
}

void Hub::set_store_trouble(const std::string& trouble) {
  {
    const std::lock_guard lock(mutex_);
    store_trouble_ = trouble;
  }
  for (const auto& session : sessions({})) session->store_changed(trouble);
}

std::string Hub::store_trouble() const {
  const std::lock_guard lock(mutex_);
  return store_trouble_;
}

std::size_t Hub::size() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

std::size_t Hub::sockets_of(std::string_view client_id, std::string_view family) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(sessions_.begin(), sessions_.end(), [&](const auto& entry) {
        const SessionInfo& info = entry.second->info();
        return info.claims.client_id == client_id && info.claims.family == family;
      }));
}

HubTotals Hub::totals() const {
  const std::lock_guard lock(mutex_);
  return {sessions_.size(), per_client_.size(), connections_};
}

std::vector<std::shared_ptr<LiveSession>> Hub::sessions(std::string_view client_id) const {
  std::vector<std::shared_ptr<LiveSession>> out;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, session] : sessions_) {
    if (client_id.empty() || session->info().claims.client_id == client_id) out.push_back(session);
  }
  return out;
}

}  // namespace tars::api
