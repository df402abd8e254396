#include "app/models/remote_models.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

#include "llm/remote/host_set.h"
#include "net/client/http_client.h"

namespace tars::app {
namespace {

namespace asio = boost::asio;
using Names = std::vector<std::string>;

constexpr std::size_t kMaxList = 4 * 1024 * 1024;  // bytes

asio::awaitable<Result<Names>> ask(net::HttpClient& client, const net::Endpoint& host,
                                   const llm::Dialect& dialect, std::chrono::milliseconds timeout) {
  unsigned status = 0;
  std::string name;
  for (int tries = 0; tries < 2; ++tries) {
    const auto exchange = client.open(host);
    net::ClientRequest request = dialect.list();
    request.host = name;
    const Result<void> started = co_await exchange->start(std::move(request), timeout);
    if (!started) co_return started.error();
    const net::Exchange::Body body = co_await exchange->read_all(kMaxList, timeout);
    if (body.trouble) co_return *body.trouble;
    status = exchange->head().status;
    if (status == 200) co_return dialect.models(body.bytes);
    name = dialect.other_name(host, status, body.bytes);
    if (name.empty()) break;
  }
  co_return make_error(ErrorCode::backend_unavailable,
                       host.url() + " answers with the status " + std::to_string(status));
}

}  // namespace

Result<Names> remote_models(const llm::RemoteOptions& options, const llm::Dialect& dialect) {
  Error trouble = make_error(ErrorCode::backend_unavailable, "no server is configured");
  std::optional<Names> all;
  for (const net::Endpoint& host : options.hosts) {
    asio::io_context context;
    net::HttpClient client(
        context, {.connect_timeout = options.connect_timeout, .ca_file = options.ca_file});
    std::exception_ptr fault;
    Result<Names> result = Names();
    asio::co_spawn(context, ask(client, host, dialect, options.connect_timeout),
                   [&](const std::exception_ptr& e, Result<Names> names) {
                     fault = e;
                     result = std::move(names);
                     context.stop();
                   });
    context.run();
    if (fault) std::rethrow_exception(fault);
    if (!result) {
      trouble = result.error();
      continue;
    }
    if (!all) all.emplace();
    llm::add_new(*all, *result);
  }
  if (!all) return trouble;
  return *std::move(all);
}

}  // namespace tars::app
