#include "net/server.h"

#include <algorithm>

#include "net/io/io_thread.h"
#include "net/io/listener.h"
#include "net/io/tls_context.h"
#include "telemetry/log.h"

namespace tars::net {
namespace {

using telemetry::LogLevel;

// What connections get, after their sockets were closed, to end on their own.
constexpr std::chrono::milliseconds kUnwind{1000};

}  // namespace

struct Server::State {
  State(ServerOptions o, Application& app)
      : options(std::move(o)),
        application(app),
        bodies(BodyBudget::limit_for(options.max_body_bytes)) {
    for (int i = 0; i < std::max(1, options.io_threads); ++i) {
      threads.push_back(std::make_unique<IoThread>(options, application, count, bodies));
    }
  }

  // All threads get a listener there, or none. The port that it is.
  Result<std::uint16_t> listen_on(boost::asio::ip::tcp::endpoint endpoint);

  ServerOptions options;
  Application& application;
  ConnectionCount count;
  BodyBudget bodies;
  std::unique_ptr<TlsContext> tls;  // null: plain HTTP
  std::vector<std::unique_ptr<IoThread>> threads;
  std::uint16_t port = 0;
  bool stopped = false;
};

Result<std::uint16_t> Server::State::listen_on(boost::asio::ip::tcp::endpoint endpoint) {
  // Unshared first: this is what finds the port taken, by a sharing listener too.
  auto first = open_listener(threads[0]->context(), endpoint, false);
  if (!first) return first.error();
  boost::system::error_code ec;
  endpoint.port(first->local_endpoint(ec).port());
  std::vector<Acceptor> listeners;
  if (threads.size() == 1) {
    listeners.push_back(*std::move(first));
  } else {
    first->close(ec);
    for (auto& thread : threads) {
      auto shared = open_listener(thread->context(), endpoint, true);
      if (!shared) return shared.error();
      listeners.push_back(*std::move(shared));
    }
  }
  for (std::size_t i = 0; i < threads.size(); ++i) {
    threads[i]->adopt_listener(std::move(listeners[i]));
  }
  return endpoint.port();
}

Server::Server(ServerOptions options, Application& application)
    : state_(std::make_unique<State>(std::move(options), application)) {}

Server::~Server() { stop(std::chrono::milliseconds(0)); }

Result<void> Server::listen() {
  if (is_secure()) {
    auto tls = TlsContext::load({state_->options.tls_certificate, state_->options.tls_key});
    if (!tls) return tls.error();
    state_->tls = *std::move(tls);
    for (auto& thread : state_->threads) thread->adopt_certificate(*state_->tls);
  }
  auto endpoint = resolve_listen_address(state_->options.host, state_->options.port);
  if (!endpoint) return endpoint.error();
  auto port = state_->listen_on(*endpoint);
  if (!port) return port.error();
  state_->port = *port;
  if (state_->options.second_host.empty()) return {};
  endpoint = resolve_listen_address(state_->options.second_host, state_->port);
  if (!endpoint || !is_local(endpoint->address())) return {};
  if (const auto second = state_->listen_on(*endpoint); !second) {
    telemetry::log(LogLevel::warning, "one address of this machine is not listened on",
                   {{"error", second.error().message}});
  }
  return {};
}

bool Server::is_secure() const { return !state_->options.tls_certificate.empty(); }

Result<void> Server::reload_certificate() {
  if (!state_->tls) return {};
  if (auto reloaded = state_->tls->reload(); !reloaded) return reloaded;
  telemetry::log(LogLevel::info, "the certificate was read again",
                 {{"certificate", state_->tls->description()}});
  return {};
}

std::uint16_t Server::port() const { return state_->port; }

void Server::start() {
  const std::size_t limit = descriptor_limit();
  if (limit < state_->options.max_connections + 64) {
    telemetry::log(LogLevel::warning,
                   "fewer descriptors than connections are allowed: raise `ulimit -Hn`",
                   {{"descriptors", limit}, {"max_connections", state_->options.max_connections}});
  }
  for (auto& thread : state_->threads) thread->start();
}

void Server::stop(std::chrono::milliseconds grace) {
  if (std::exchange(state_->stopped, true)) return;
  for (auto& thread : state_->threads) thread->stop_accepting();
  if (!state_->count.wait_for_none(grace)) {
    telemetry::log(LogLevel::warning, "connections are dropped: their time to end is over",
                   {{"connections", state_->count.value()}});
    for (auto& thread : state_->threads) thread->drop_connections();
    if (!state_->count.wait_for_none(kUnwind)) {
      telemetry::log(LogLevel::warning, "connection tasks did not end by themselves",
                     {{"connections", state_->count.value()}});
    }
  }
  for (auto& thread : state_->threads) thread->join();
}

boost::asio::io_context& Server::context(std::size_t index) {
  return state_->threads.at(index)->context();
}

std::size_t Server::open_connections() const { return state_->count.value(); }

}  // namespace tars::net
