#include "llm/remote/host_check.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/fault.h"
#include "telemetry/log.h"

namespace tars::llm {
namespace {

using telemetry::LogLevel;

constexpr std::size_t kMaxList = 4 * 1024 * 1024;

// Not every server lists its models; Python's http.server says 501 to what it does not know.
bool has_no_list(unsigned status) { return status == 404 || status == 405 || status == 501; }

}  // namespace

HostCheck::HostCheck(RemoteParts parts, net::HttpClient& client, boost::asio::io_context& context,
                     OnSilent on_silent)
    : from_(parts),
      client_(client),
      on_silent_(std::move(on_silent)),
      silent_since_(parts.hosts.size()) {
  for (std::size_t i = 0; i < from_.hosts.size(); ++i) pauses_.emplace_back(context);
}

void HostCheck::stop() {
  stopped_ = true;
  for (auto& pause : pauses_) pause.cancel();
}

boost::asio::awaitable<void> HostCheck::watch(std::size_t host) {
  while (!stopped_) {
    // A host that nobody checks any more would stay as it is for ever.
    try {
      const auto since = from_.clock.steady() - from_.hosts.checked_at(host);
      const bool is_due = from_.hosts.is_failed(host) || since >= from_.options.check_interval;
      if (!attend_silence(host) && is_due) co_await ask(host);
    } catch (...) {
      telemetry::log(LogLevel::error, "the check of a model server failed",
                     {{"host", from_.hosts.endpoint(host).url()},
                      {"error", describe(std::current_exception())}});
    }
    if (stopped_) co_return;
    pauses_[host].expires_after(from_.options.return_interval);
    co_await pauses_[host].async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
}

boost::asio::awaitable<void> HostCheck::ask(std::size_t host) {
  const SteadyTime begun = from_.clock.steady();
  const net::Endpoint& endpoint = from_.hosts.endpoint(host);
  const std::string name = from_.hosts.name_for(host);
  Answer answer = co_await ask_as(host, name);
  if (stopped_) co_return;
  // Another name that may bring the list: the address, or what was configured after all.
  std::optional<std::string> other;
  if (answer.came && answer.head.status != 200) {
    other = name.empty() ? from_.dialect.other_name(endpoint, answer.head.status, answer.body) : "";
  }
  if (other && *other != name && *other != endpoint.authority()) {
    Answer by_other = co_await ask_as(host, *other);
    if (stopped_) co_return;
    // Behind a proxy that has reasons of its own there is no list by that name either.
    const bool lists = by_other.came && by_other.head.status == 200;
    if (lists && from_.dialect.models(by_other.body)) {
      telemetry::log(
          LogLevel::info, "a model server is asked by another name",
          {{"host", endpoint.url()}, {"name", other->empty() ? endpoint.authority() : *other}});
      from_.hosts.set_name(host, *other);
      answer = std::move(by_other);
    }
  }
  if (answer.came) {
    silent_since_[host].reset();
    co_return judge(host, answer.head, answer.body);
  }
  const Failure failure = transport_failure(answer.came.error(), endpoint);
  if (failure.is_our_want) co_return;
  // One that does a thing at a time cannot say that it is well while it answers.
  if (failure.host_is_down && from_.hosts.heard_at(host) >= begun) {
    co_return set_working(host, std::nullopt);
  }
  std::optional<SteadyTime>& since = silent_since_[host];
  since = failure.timed_out ? std::optional(since.value_or(begun)) : std::nullopt;
  if (since && from_.hosts.set_silent(host)) {
    telemetry::log(LogLevel::info, "a model server does not answer the check while it works",
                   {{"host", endpoint.url()}});
    co_return;
  }
  leave_out(host, failure.error.message);
}

// Looks after a host that said nothing. True: it is to be left alone, as it works for us, and what
// it works on will be heard, or fail.
bool HostCheck::attend_silence(std::size_t host) {
  std::optional<SteadyTime>& since = silent_since_[host];
  if (!since) return false;
  if (from_.hosts.heard_at(host) >= *since) {
    since.reset();
    from_.hosts.end_silence(host);
    return false;
  }
  if (!from_.hosts.is_busy(host)) return false;
  const auto silence = from_.clock.steady() - *since;
  if (silence >= 2 * from_.options.connect_timeout) on_silent_(host);
  if (silence >= from_.options.silent_at_most && !from_.hosts.is_failed(host)) {
    leave_out(host, silent(from_.hosts.endpoint(host)).error.message);
  }
  return true;
}

boost::asio::awaitable<HostCheck::Answer> HostCheck::ask_as(std::size_t host, std::string name) {
  const auto exchange = client_.open(from_.hosts.endpoint(host));
  net::ClientRequest request = from_.dialect.list();
  request.host = std::move(name);
  Answer out;
  out.came = co_await exchange->start(std::move(request), from_.options.connect_timeout);
  if (!out.came) co_return out;
  net::Exchange::Body body = co_await exchange->read_all(kMaxList, from_.options.connect_timeout);
  if (body.trouble) out.came = *body.trouble;
  out.head = exchange->head();
  out.body = without_secret(std::move(body.bytes), from_.options.api_key);
  co_return out;
}

void HostCheck::judge(std::size_t host, const net::ResponseHead& head, const std::string& body) {
  const net::Endpoint& endpoint = from_.hosts.endpoint(host);
  const std::string& wanted = from_.options.model;
  std::optional<std::vector<std::string>> listed;  // none: it does not say
  if (head.status == 200) {
    Result<std::vector<std::string>> models = from_.dialect.models(body);
    if (!models) return leave_out(host, models.error().message);
    listed = *std::move(models);
  } else if (has_no_list(head.status)) {
    listed.emplace();
  } else if (!may_keep_its_list(host, head.status)) {
    return leave_out(host, refusal(head, body, endpoint, "").error.message);
  }
  const bool none = listed ? listed->empty() : from_.hosts.models().empty();
  if (none && wanted.empty()) {
    return leave_out(host, endpoint.url() + " lists no model (" + std::to_string(head.status) +
                               "): is the address right? Add a model there, or name one in " +
                               std::string(from_.dialect.model_option()));
  }
  set_working(host, std::move(listed));
}

void HostCheck::set_working(std::size_t host, std::optional<std::vector<std::string>> models) {
  const net::Endpoint& endpoint = from_.hosts.endpoint(host);
  const std::string& wanted = from_.options.model;
  if (!from_.hosts.set_working(host, std::move(models), from_.clock.steady())) return;
  telemetry::log(LogLevel::info, "a model server answers", {{"host", endpoint.url()}});
  if (!wanted.empty() && !from_.hosts.models().empty() && !from_.hosts.has(host, wanted)) {
    telemetry::log(LogLevel::warning, "a model server does not list the model it is to answer with",
                   {{"host", endpoint.url()}, {"model", wanted}});
  }
}

// It has no time for the question now, or lists its models only to keys of another kind than those
// that may chat. One that refuses everything is found by its last answer.
bool HostCheck::may_keep_its_list(std::size_t host, unsigned status) const {
  if (status == 429) return true;
  const bool refused = status >= 400 && status < 500;
  return refused && !from_.options.model.empty() && from_.hosts.answered_well(host);
}

void HostCheck::leave_out(std::size_t host, std::string why) {
  const net::Endpoint& endpoint = from_.hosts.endpoint(host);
  // In the body the key may have been spelt with escapes.
  why = naming(endpoint, without_secret(std::move(why), from_.options.api_key));
  if (!from_.hosts.set_failed(host, why, from_.clock.steady())) return;
  telemetry::log(LogLevel::warning, "a model server is left out",
                 {{"host", endpoint.url()}, {"error", why}});
}

}  // namespace tars::llm
