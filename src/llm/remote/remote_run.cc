#include "llm/remote/remote_run.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

#include "base/fault.h"
#include "telemetry/log.h"

namespace tars::llm {
namespace {

using std::chrono::milliseconds;

// A refusal's body says why in its first bytes.
constexpr std::size_t kMaxRefusal = 16 * 1024;
constexpr milliseconds kRefusalTimeout{2000};
// For the end of a body behind the last token, so that the connection can be used again.
constexpr milliseconds kTailTimeout{2000};
// For the end of an answer whose text is whole: it is not worth the time of a token.
constexpr milliseconds kEndTimeout{2000};
constexpr std::size_t kMaxTail = 64 * 1024;
// A server that ignores max_tokens is ended, and so is one whose tokens are no tokens.
constexpr std::size_t kMaxBytesPerToken = 256;
constexpr std::size_t kMaxExtraBytes = 64 * 1024;
// An answer shorter than this is not worth asking for.
constexpr int kFewestTokens = 64;

// Gives an acquired host back, also where an exception ends the attempt.
class HostLease {
 public:
  HostLease(HostSet& hosts, std::size_t host) : hosts_(hosts), host_(host) {}
  ~HostLease() { hosts_.release(host_); }
  HostLease(const HostLease&) = delete;
  HostLease& operator=(const HostLease&) = delete;

 private:
  HostSet& hosts_;
  const std::size_t host_;
};

// An answer of another kind than a stream has a reason: a web page, for one, comes from something
// that is no model server.
void explain_type(Error& error, const net::ResponseHead& head, const net::Endpoint& host,
                  std::string_view expected) {
  if (const auto coding = head.header("Content-Encoding"); coding && *coding != "identity") {
    error.message = host.url() + " answers with the Content-Encoding " +
                    std::string(coding->substr(0, 100)) +
                    ", which was not asked for: " + error.message;
    return;
  }
  const auto type = head.header("Content-Type");
  if (!type || type->starts_with(expected)) return;
  error.message = host.url() + " answers with " + std::string(type->substr(0, 100)) + " where " +
                  std::string(expected) + " was expected: " + error.message;
}

}  // namespace

RemoteRun::RemoteRun(RemoteParts parts, net::HttpClient& client, boost::asio::io_context& context,
                     Request request, std::string model, std::shared_ptr<Sink> sink,
                     std::function<void()> ended)
    : from_(parts),
      client_(client),
      context_(context),
      request_(std::move(request)),
      wanted_tokens_(request_.sampling.max_tokens),
      model_(std::move(model)),
      sink_(std::move(sink)),
      ended_(std::move(ended)) {}

void RemoteRun::watch(std::stop_token stop) {
  on_stop_.emplace(std::move(stop), [weak = weak_from_this(), &context = context_] {
    boost::asio::post(context, [weak] {
      if (const auto run = weak.lock()) run->cancel();
    });
  });
}

void RemoteRun::cancel() {
  cancelled_ = true;
  // What is behind the last token may still be read, so that the connection can be kept.
  if (exchange_ && !done_) exchange_->close();
}

void RemoteRun::leave(std::size_t host) {
  if (asked_ != host || left_once_ || begun_ || done_ || cancelled_) return;
  std::vector<std::size_t> but = tried_;
  but.push_back(host);
  if (!from_.hosts.another_can(but, model_, from_.clock.steady())) return;
  left_ = left_once_ = true;
  exchange_->close();
}

boost::asio::awaitable<void> RemoteRun::serve() {
  sink_->on_start(0, 0);
  Result<Completion> result = co_await answer();
  end(std::move(result));
  co_await read_to_end();
  exchange_.reset();
}

void RemoteRun::end(Result<Completion> result) {
  if (done_) return;
  done_ = true;
  if (cancelled_ && !result) result = cancelled();
  if (ended_) std::exchange(ended_, {})();
  const std::string_view rest = text_.finish();
  sink_->on_done(rest, std::move(result));
}

void RemoteRun::fail(const std::exception_ptr& fault) {
  telemetry::log(telemetry::LogLevel::error, "the relay of an answer failed",
                 {{"run", request_.run_id}, {"error", describe(fault)}});
  end(make_error(ErrorCode::internal, "the relay failed"));
  exchange_.reset();
}

Completion RemoteRun::cancelled() const { return {.reason = FinishReason::cancelled}; }

boost::asio::awaitable<Result<Completion>> RemoteRun::answer() {
  std::optional<Error> worst;
  std::optional<Error> owners;  // of a host that has the model
  while (!cancelled_) {
    const auto host = from_.hosts.acquire(tried_, model_, from_.clock.steady());
    if (!host) break;
    std::optional<Failure> failure;
    {
      const HostLease lease(from_.hosts, *host);
      asked_ = host;
      failure = co_await attempt(*host);
    }
    asked_.reset();
    if (!failure) {
      keep_form(*host);
      co_return *reader_->end();
    }
    const bool left = std::exchange(left_, false) && !begun_;
    if (left) failure = silent(from_.hosts.endpoint(*host));
    if (cancelled_) break;
    failure->error.message =
        without_secret(std::move(failure->error.message), from_.options.api_key);
    failure->error.quoted = without_secret(std::move(failure->error.quoted), from_.options.api_key);
    if (change_form(*host, *failure)) continue;
    note(*host, *failure);
    if (left) continue;  // the last to be asked now, and it may answer yet
    if (begun_) co_return broken_off(*failure);
    if (failure->error.code == ErrorCode::context_overflow && shorten()) continue;
    worst = worst ? more_telling(*worst, failure->error) : failure->error;
    if (from_.hosts.has(*host, model_) && failure->error.code != ErrorCode::model_not_found) {
      owners = owners ? more_telling(*owners, failure->error) : failure->error;
    }
    if (!failure->others_may_answer) co_return failure->error;
    tried_.push_back(*host);
  }
  if (cancelled_) co_return cancelled();
  // That another host does not have the model is no news.
  if (owners && worst->code == ErrorCode::model_not_found) co_return *owners;
  co_return worst.value_or(make_error(ErrorCode::backend_unavailable, "there is no model server"));
}

void RemoteRun::note(std::size_t host, const Failure& failure) {
  if (failure.is_our_want) {
    telemetry::log(telemetry::LogLevel::warning, "no model server can be asked",
                   {{"run", request_.run_id}, {"error", failure.error.message}});
    return;
  }
  telemetry::log(telemetry::LogLevel::warning, "a model server did not answer",
                 {{"run", request_.run_id},
                  {"host", from_.hosts.endpoint(host).url()},
                  {"tokens", tokens_},
                  {"error", for_log(failure.error)}});
  if (failure.host_is_down && !begun_) {
    from_.hosts.set_failed(host, for_log(failure.error), from_.clock.steady());
  } else {
    from_.hosts.suspect(host);
  }
  if (failure.host_did_badly) {
    from_.hosts.answer_failed(host, from_.clock.steady(), failure.rest);
  }
}

// Whether the server refused no more than the form of the request, and says which it takes. The
// words may be the prompt's, quoted: only a form that was answered is kept for others.
bool RemoteRun::change_form(std::size_t host, const Failure& failure) {
  constexpr std::size_t kMost = 4;  // on each host: as many as RequestForm has parts
  const std::string said = std::exchange(refusal_, {});
  if (said.empty() || failure.error.code != ErrorCode::generation_error) return false;
  const unsigned status = exchange_->head().status;
  if (status != 400 && status != 422) return false;
  if (form_changes_ >= kMost * from_.hosts.size()) return false;
  const auto other = from_.dialect.other_form(said, form_);
  if (!other) return false;
  ++form_changes_;
  forms_[host] = *other;
  return true;
}

void RemoteRun::keep_form(std::size_t host) {
  if (!forms_.contains(host)) return;
  from_.hosts.set_form(host, model_, form_);
  telemetry::log(
      telemetry::LogLevel::info, "a model server wants requests in another form",
      {{"run", request_.run_id}, {"host", from_.hosts.endpoint(host).url()}, {"model", model_}});
}

// How long a context the server has is not known here, only that it was too short, and some count
// max_tokens into it: most of the room for the answer goes, and where that does not help, half of
// the turns, the oldest. False when nothing is left to give.
bool RemoteRun::shorten() {
  auto& messages = request_.messages;
  const auto first = std::ranges::find_if(
      messages, [](const Message& message) { return message.role != Role::system; });
  const auto last = messages.end() - 1;
  int& room = request_.sampling.max_tokens;
  if (first < last && (room < wanted_tokens_ || room <= kFewestTokens)) {
    auto keep = first + (last - first + 1) / 2;
    while (keep < last && keep->role != Role::user) ++keep;
    messages.erase(first, keep);
    room = wanted_tokens_;
    return true;
  }
  if (room <= kFewestTokens) return false;
  room = std::max(kFewestTokens, room / 4);
  return true;
}

boost::asio::awaitable<std::optional<Failure>> RemoteRun::attempt(std::size_t host) {
  const net::Endpoint& endpoint = from_.hosts.endpoint(host);
  reader_ = from_.dialect.reader();
  whole_ = false;
  exchange_ = client_.open(endpoint);
  const auto wanted = forms_.find(host);
  form_ = wanted == forms_.end() ? from_.hosts.form(host, model_) : wanted->second;
  net::ClientRequest request = from_.dialect.chat(request_, model_, form_);
  request.host = from_.hosts.name_for(host);
  if (!request_.traceparent.empty()) {
    request.headers.emplace_back("traceparent", request_.traceparent);
  }
  Result<void> started =
      co_await exchange_->start(std::move(request), from_.options.first_token_timeout);
  if (!started) co_return transport_failure(started.error(), endpoint);
  from_.hosts.heard(host, from_.clock.steady());
  if (exchange_->head().status != 200) {
    asked_.reset();  // this is the answer
    co_return co_await read_refusal(host);
  }
  co_return co_await relay(host, exchange_->sent_at() + from_.options.first_token_timeout);
}

boost::asio::awaitable<std::optional<Failure>> RemoteRun::relay(std::size_t host,
                                                                SteadyTime first_token_by) {
  const auto left =
      std::chrono::duration_cast<milliseconds>(first_token_by - std::chrono::steady_clock::now());
  std::optional<Failure> failure;
  const net::Exchange::Take each = [this, host, &failure](std::string_view bytes) {
    if (!bytes.empty()) from_.hosts.heard(host, from_.clock.steady());
    failure = take(bytes);
    return !failure && !bytes.empty() && !reader_->end();
  };
  const Result<void> read = co_await exchange_->read_each(std::max(milliseconds(1), left), each);
  if (!read) {
    // Some servers break the connection, or leave it open, behind an answer that is whole.
    const bool whole =
        !cancelled_ && (tokens_ > 0 || reader_->is_whole()) && reader_->finish(*this);
    if (!whole) {
      Failure broken = transport_failure(read.error(), from_.hosts.endpoint(host));
      // Where the body's end is the connection's, the same is an end without a last line.
      if (read.error().code == ErrorCode::io_error) broken.error = broken_off(broken);
      co_return broken;
    }
  }
  if (failure && !begun_) {
    explain_type(failure->error, exchange_->head(), from_.hosts.endpoint(host),
                 from_.dialect.stream_type());
  }
  if (failure) co_return failure;
  from_.hosts.answer_given(host);
  co_return std::nullopt;
}

// A piece of the answer; nothing = its end.
std::optional<Failure> RemoteRun::take(std::string_view bytes) {
  if (cancelled_ || left_) return Failure{};
  const int before = tokens_;
  const Result<void> fed = bytes.empty() ? reader_->finish(*this) : reader_->feed(bytes, *this);
  if (tokens_ > before && !reader_->end()) sink_->on_step_end();
  // Neither a comment nor half a line is a token.
  const bool thought = std::exchange(thought_, false);
  const bool more = tokens_ > before || thought;
  if (reader_->is_whole() && !std::exchange(whole_, true)) {
    exchange_->wait_at_most(kEndTimeout);
  } else if (more) {
    // Also where it was called whole too early.
    exchange_->wait_at_most(from_.options.idle_timeout);
  }
  if (!fed) return said_in_stream(fed.error());
  if (text_bytes_ >
      kMaxBytesPerToken * static_cast<std::size_t>(request_.sampling.max_tokens) + kMaxExtraBytes) {
    return Failure{.error = make_error(ErrorCode::generation_error,
                                       "the model server sent more text than was asked for")};
  }
  return std::nullopt;
}

boost::asio::awaitable<Failure> RemoteRun::read_refusal(std::size_t host) {
  // As much of it as came says why, or nothing does.
  net::Exchange::Body read = co_await exchange_->read_all(kMaxRefusal, kRefusalTimeout);
  // Before anything of it is cut: half of a key would not be found any more.
  refusal_ = without_secret(std::move(read.bytes), from_.options.api_key);
  co_return refusal(exchange_->head(), std::string_view(refusal_).substr(0, kMaxRefusal),
                    from_.hosts.endpoint(host), model_);
}

boost::asio::awaitable<void> RemoteRun::read_to_end() {
  const bool answered = reader_ && reader_->end();
  if (!answered || cancelled_ || exchange_->complete()) co_return;
  co_await exchange_->read_all(kMaxTail, kTailTimeout);
}

void RemoteRun::on_text(std::string_view text) {
  begun_ = true;
  ++tokens_;
  text_bytes_ += text.size();
  sink_->on_token(text_.push(text));
}

}  // namespace tars::llm
