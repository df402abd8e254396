#include "net/client/client_state.h"

#include <algorithm>
#include <utility>

#include "base/read_file.h"
#include "net/client/exchange.h"
#include "net/client/read_poller.h"
#include "telemetry/log.h"

namespace tars::net {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kTick{50};

std::string origin_of(const Endpoint& endpoint) {
  return (endpoint.secure ? "https://" : "http://") + endpoint.authority();
}

Error tls_error(const std::string& what) {
  return make_error(ErrorCode::backend_unavailable, "TLS cannot be used: " + what);
}

Result<asio::ssl::context> client_context(const std::string& ca_file) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  boost::system::error_code ec;
  context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                          asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                          asio::ssl::context::no_tlsv1_1,
                      ec);
  if (!ec) context.set_verify_mode(asio::ssl::verify_peer, ec);
  if (!ec) context.set_default_verify_paths(ec);
  if (ec) return tls_error(ec.message());
  if (!ca_file.empty()) context.load_verify_file(ca_file, ec);
  if (ec) return tls_error(ca_file + ": " + ec.message());
  return context;
}

}  // namespace

Result<void> check_ca_file(const std::string& file) {
  if (const auto other = other_than_file(file); !other.empty()) {
    return make_error(ErrorCode::backend_unavailable, "it is " + std::string(other));
  }
  asio::ssl::context context(asio::ssl::context::tls_client);
  boost::system::error_code ec;
  context.load_verify_file(file, ec);
  if (ec) return make_error(ErrorCode::backend_unavailable, ec.message());
  return {};
}

ClientState::ClientState(asio::io_context& context, ClientOptions options)
    : context_(context),
      options_(std::move(options)),
      names_(options_.names ? options_.names : std::make_shared<HostNames>()),
      tick_(context) {
  asio::use_service<ReadPoller>(context);
}

void ClientState::add(Exchange& exchange) {
  exchanges_.insert(&exchange);
  arm();
}

std::unique_ptr<ClientConnection> ClientState::take(const Endpoint& endpoint) {
  const std::string origin = origin_of(endpoint);
  for (auto it = kept_.begin(); it != kept_.end();) {
    if (it->origin != origin) {
      ++it;
      continue;
    }
    std::unique_ptr<ClientConnection> connection = std::move(it->connection);
    it = kept_.erase(it);
    if (connection->is_quiet()) return connection;
  }
  return nullptr;
}

void ClientState::keep(const Endpoint& endpoint, std::unique_ptr<ClientConnection> connection) {
  if (closed_) return;
  std::string origin = origin_of(endpoint);
  const auto same =
      std::count_if(kept_.begin(), kept_.end(), [&](const Kept& k) { return k.origin == origin; });
  if (static_cast<std::size_t>(same) >= options_.max_kept_per_origin) return;
  kept_.push_front(Kept{std::move(origin), std::move(connection),
                        std::chrono::steady_clock::now() + options_.keep_alive});
  arm();
}

Result<asio::ssl::context*> ClientState::tls() {
  const bool changed = ca_file_changed();
  if (tls_ && !changed) return &*tls_;
  auto context = client_context(options_.ca_file);
  if (context) {
    tls_.emplace(*std::move(context));
  } else if (tls_) {
    telemetry::log(telemetry::LogLevel::warning,
                   "a changed file of certificates cannot be read: those before it go on",
                   {{"error", context.error().message}});
  } else {
    return context.error();
  }
  return &*tls_;
}

// Since the last call. A file that cannot be found at this moment is about to be replaced.
bool ClientState::ca_file_changed() {
  if (options_.ca_file.empty()) return false;
  std::error_code ec;
  const auto written = std::filesystem::last_write_time(options_.ca_file, ec);
  return !ec && std::exchange(ca_file_written_, written) != written;
}

void ClientState::close() {
  closed_ = true;
  kept_.clear();
  tick_.cancel();
  for (Exchange* exchange : exchanges_) exchange->close();
}

void ClientState::arm() {
  if (armed_ || closed_) return;
  armed_ = true;
  tick_.expires_after(kTick);
  tick_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
    self->armed_ = false;
    if (!ec) self->on_tick();
  });
}

void ClientState::on_tick() {
  const auto now = std::chrono::steady_clock::now();
  for (Exchange* exchange : exchanges_) exchange->check_deadline(now);
  kept_.remove_if([now](const Kept& k) { return k.until <= now; });
  if (!exchanges_.empty() || !kept_.empty()) arm();
}

}  // namespace tars::net
