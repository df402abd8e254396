#include "llm/remote/host_check.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

#include "telemetry/log.h"

namespace tars::llm {
namespace {

using telemetry::LogLevel;

constexpr std::size_t kMaxList = 4 * 1024 * 1024;

}  // namespace

HostCheck::HostCheck(RemoteParts parts, net::HttpClient& client, boost::asio::io_context& context)
    : from_(parts), client_(client) {
  for (std::size_t i = 0; i < from_.hosts.size(); ++i) pauses_.emplace_back(context);
}

void HostCheck::stop() {
  stopped_ = true;
  for (auto& pause : pauses_) pause.cancel();
}

boost::asio::awaitable<void> HostCheck::watch(std::size_t host) {
  while (!stopped_) {
    const auto since = std::chrono::steady_clock::now() - from_.hosts.checked_at(host);
    if (from_.hosts.is_failed(host) || since >= from_.options.check_interval) co_await ask(host);
    if (stopped_) co_return;
    pauses_[host].expires_after(from_.options.return_interval);
    co_await pauses_[host].async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
}

boost::asio::awaitable<void> HostCheck::ask(std::size_t host) {
  const net::Endpoint& endpoint = from_.hosts.endpoint(host);
  const auto exchange = client_.open(endpoint);
  Result<void> started =
      co_await exchange->start(from_.dialect.list(), from_.options.connect_timeout);
  std::string body;
  const auto until = std::chrono::steady_clock::now() + from_.options.connect_timeout;
  while (started && body.size() <= kMaxList) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    const Result<std::string_view> bytes =
        co_await exchange->read_body(std::max(left, std::chrono::milliseconds(1)));
    if (!bytes) started = bytes.error();
    if (!bytes || bytes->empty()) break;
    body += *bytes;
  }
  if (stopped_) co_return;
  std::optional<Error> trouble;
  Result<std::vector<std::string>> models = std::vector<std::string>();
  body = without_secret(std::move(body), from_.options.api_key);
  if (!started) {
    trouble = transport_failure(started.error(), endpoint).error;
  } else if (exchange->head().status == 200) {
    models = from_.dialect.models(body);
    if (!models)
      trouble = make_error(ErrorCode::backend_unavailable,
                           endpoint.url() + ": " + models.error().message);
  } else if (exchange->head().status != 404 && exchange->head().status != 405) {
    // Not every server lists its models; one that has no such path works all the same.
    trouble = refusal(exchange->head(), body, endpoint, "").error;
  }
  const std::string& wanted = from_.options.model;
  if (!trouble && models->empty() && wanted.empty()) {
    trouble =
        make_error(ErrorCode::backend_unavailable,
                   endpoint.url() + " lists no model (" + std::to_string(exchange->head().status) +
                       "): is the address right? Add a model there, or name one in " +
                       std::string(from_.dialect.model_option()));
  }
  const SteadyTime now = from_.clock.steady();
  if (trouble) {
    if (from_.hosts.set_failed(host, trouble->message, now)) {
      telemetry::log(LogLevel::warning, "a model server is left out",
                     {{"host", endpoint.url()}, {"error", trouble->message}});
    }
  } else if (from_.hosts.set_working(host, *std::move(models), now)) {
    telemetry::log(LogLevel::info, "a model server answers", {{"host", endpoint.url()}});
    if (!wanted.empty() && !from_.hosts.models().empty() && !from_.hosts.has(host, wanted)) {
      telemetry::log(LogLevel::warning,
                     "a model server does not list the model it is to answer with",
                     {{"host", endpoint.url()}, {"model", wanted}});
    }
  }
}

}  // namespace tars::llm
