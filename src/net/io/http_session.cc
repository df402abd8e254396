#include "net/io/http_session.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

#include "base/fault.h"
#include "net/io/beast_websocket.h"
#include "net/io/io_thread.h"
#include "net/message/ascii.h"
#include "net/message/request_parser.h"
#include "net/message/response_head.h"
#include "telemetry/log.h"
#include "telemetry/request_id.h"

namespace tars::net {
namespace {

namespace asio = boost::asio;
using std::chrono::seconds;
using std::chrono::steady_clock;
using telemetry::LogLevel;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
// A body that stops for this long is given up, whatever body_timeout leaves.
constexpr seconds kBodyProgress{10};
// A peer that takes nothing of a response for this long is given up.
constexpr seconds kSendProgress{30};
// Who takes it slower than this, bytes a second, is given up too.
constexpr std::size_t kSlowestReader = 8 * 1024;
// How long a peer may go on sending after an error was answered.
constexpr seconds kLinger{5};
// A head and body up to this size go out as one piece of memory.
constexpr std::size_t kJoinBytes = 8 * 1024;
// A write buffer that grew past this is given back after the answer.
constexpr std::size_t kKeepBuffer = 64 * 1024;

// An upgrade that the application agreed to.
struct Agreed {
  Upgrade upgrade;
  WebSocketHandshake handshake;
};

struct Answer {
  HttpResponse response;
  bool keep_alive = true;
  bool without_body = false;  // the answer to HEAD
};

std::string offered_request_id(const HttpRequest& request) {
  return telemetry::request_id(request.header("X-Request-ID").value_or(""));
}

// The application's words for an error that this layer found; plain ones should even that fail.
HttpResponse error_answer(Connection& c, const HttpFailure& failure, const HttpRequest& request) {
  try {
    HttpResponse response =
        c.thread().application().error_response(failure.status, failure.detail, request);
    response.status = failure.status;
    return response;
  } catch (const std::exception& e) {
    telemetry::log(LogLevel::error, "an error response failed", {{"error", e.what()}});
    return HttpResponse{failure.status, {{"Content-Type", "text/plain"}}, failure.detail, true};
  }
}

HttpResponse fault_answer(Connection& c, const std::exception_ptr& fault,
                          const HttpRequest& request) {
  telemetry::log(LogLevel::error, "a request handler failed",
                 {{"error", describe(fault)},
                  {"request_id", request.request_id},
                  {"method", request.method},
                  {"target", telemetry::redact_url(request.target)}});
  return error_answer(c, HttpFailure{500, "The server failed on this request; its log says why."},
                      request);
}

// What of a request outlives handing it to the application: what a 500 for it needs.
HttpRequest identity_of(const HttpRequest& request) {
  HttpRequest kept;
  kept.method = request.method;
  kept.target = request.target;
  kept.path = request.path;
  kept.secure = request.secure;
  kept.request_id = request.request_id;
  return kept;
}

// `headed`: the headers are here, and the answer needs no more.
enum class ReadResult { complete, headed, gone, failed };

// The deadlines of one request: idle or header first, then the body's.
class ReadDeadlines {
 public:
  ReadDeadlines(Connection& c, bool first) : connection_(c) {
    const auto& o = c.thread().options();
    c.set_deadline_in(first ? o.header_timeout : o.idle_timeout);
    // A fresh connection owes its headers from the start.
    in_header_ = first;
  }

  void on_progress(const RequestParser& parser) {
    const auto& o = connection_.thread().options();
    const auto now = steady_clock::now();
    if (parser.header_done()) {
      if (!in_body_) body_end_ = now + o.body_timeout;
      in_body_ = true;
      connection_.set_deadline(std::min(body_end_, now + kBodyProgress));
    } else if (parser.started() && !in_header_) {
      in_header_ = true;
      connection_.set_deadline(now + o.header_timeout);
    }
  }

  bool owes_answer() const { return in_header_ || in_body_; }
  HttpFailure failure() const {
    return {408,
            in_body_ ? "The body did not arrive in time." : "The headers did not arrive in time."};
  }

 private:
  Connection& connection_;
  SteadyTime body_end_{};
  bool in_header_ = false;
  bool in_body_ = false;
};

void feed(Connection& c, RequestParser& parser, std::string_view bytes) {
  if (!c.unread.empty()) {
    c.unread.append(bytes);
    c.unread.erase(0, parser.feed(c.unread));
    if (c.unread.empty()) c.unread.shrink_to_fit();
  } else if (!bytes.empty()) {
    c.unread = bytes.substr(parser.feed(bytes));
  }
}

// Bodies of up to this size are for everybody: nobody's large ones are to keep them out.
constexpr std::size_t kSmallBody = 64 * 1024;

// Reads one request. `failure` is filled when the result is `failed`.
asio::awaitable<ReadResult> read_request(Connection& c, RequestParser& parser,
                                         BodyBudget::Share& share, bool first,
                                         HttpFailure& failure) {
  c.begin_idle();
  ReadDeadlines deadlines(c, first);
  bool continued = false;
  bool asked = false;
  feed(c, parser, {});
  for (;;) {
    if (parser.failure()) {
      failure = *parser.failure();
      co_return ReadResult::failed;
    }
    const std::size_t body = parser.request().body.size();
    if (!share.cover(body - std::min(body, kSmallBody))) {
      failure = {503, "Too many requests with large bodies at once; try again in a moment."};
      co_return ReadResult::failed;
    }
    if (parser.done()) co_return ReadResult::complete;
    if (parser.header_done() && !std::exchange(asked, true) &&
        !c.thread().application().needs_body(parser.request())) {
      co_return ReadResult::headed;
    }
    if (parser.started()) {
      c.phase = Phase::receiving;
      deadlines.on_progress(parser);
    }
    if (parser.header_done() && parser.expects_continue() && !continued) {
      continued = true;
      const bool sent = co_await c.send(kContinue, {}, kSendProgress, kSlowestReader);
      if (!sent) co_return ReadResult::gone;
      deadlines.on_progress(parser);
    }
    if (c.phase == Phase::idle && c.thread().draining()) co_return ReadResult::gone;
    const auto received = co_await c.receive(parser.header_done() && !parser.expects_continue());
    if (received.error) {
      if (!c.timed_out() || !deadlines.owes_answer()) co_return ReadResult::gone;
      failure = deadlines.failure();
      co_return ReadResult::failed;
    }
    feed(c, parser, received.bytes);
  }
}

asio::awaitable<bool> send_answer(Connection& c, const Answer& answer,
                                  std::string_view request_id) {
  c.phase = Phase::sending;
  c.clear_deadline();
  std::string& out = c.thread().write_buffer();
  out.clear();
  const auto left_out = append_response_head(out, answer.response,
                                             {c.thread().date(), request_id, answer.keep_alive});
  if (left_out > 0) {
    telemetry::log(LogLevel::error, "response headers with control characters were left out",
                   {{"count", left_out}, {"request_id", request_id}});
  }
  std::string_view body;
  if (!answer.without_body && status_has_body(answer.response.status))
    body = answer.response.content();
  if (body.size() <= kJoinBytes) {
    out.append(body);
    body = {};
  }
  const bool sent = co_await c.send(out, body, kSendProgress, kSlowestReader);
  if (c.thread().write_buffer().capacity() > kKeepBuffer)
    std::string().swap(c.thread().write_buffer());
  co_return sent;
}

// Without the connection option it is no request for an upgrade (RFC 9110 section 7.8).
bool asks_for_websocket(const HttpRequest& request) {
  return request.method == "GET" && header_lists(request.headers, "Upgrade", "websocket") &&
         header_lists(request.headers, "Connection", "upgrade");
}

bool is_handshake_key(std::string_view key) {
  std::array<unsigned char, 18> bytes{};
  return key.size() == 24 && key.ends_with("==") &&
         EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(key.data()), 24) ==
             18;
}

// RFC 6455 section 4.2.1: what a handshake needs beside `Upgrade` and `Connection`.
std::optional<HttpFailure> handshake_fault(const HttpRequest& request, bool bytes_behind) {
  if (request.header("Sec-WebSocket-Version").value_or("") != "13") {
    return HttpFailure{426, "Only version 13 of the WebSocket protocol is spoken here."};
  }
  // Of two origins, a proxy may have looked at the other one.
  if (header_count(request.headers, "Origin") > 1) {
    return HttpFailure{400, "A WebSocket handshake has one Origin at most."};
  }
  if (header_count(request.headers, "Sec-WebSocket-Key") != 1 ||
      !is_handshake_key(request.header("Sec-WebSocket-Key").value_or(""))) {
    return HttpFailure{400, "A WebSocket handshake needs 16 bytes in base64 as Sec-WebSocket-Key."};
  }
  if (bytes_behind || !request.body.empty()) {
    return HttpFailure{400, "Nothing may follow a WebSocket handshake before it is answered."};
  }
  return std::nullopt;
}

asio::awaitable<std::variant<HttpResponse, Agreed>> answer_upgrade(Connection& c,
                                                                   HttpRequest request) {
  if (const auto fault = handshake_fault(request, !c.unread.empty())) {
    HttpResponse response = error_answer(c, *fault, request);
    if (fault->status == 426) {
      response.headers.emplace_back("Sec-WebSocket-Version", "13");
      response.headers.emplace_back("Upgrade", "websocket");
    }
    response.close = true;
    co_return response;
  }
  const HttpRequest kept = identity_of(request);
  std::string key(*request.header("Sec-WebSocket-Key"));
  std::exception_ptr fault;
  try {
    auto decision = co_await c.thread().application().upgrade(std::move(request));
    if (auto* refusal = std::get_if<HttpResponse>(&decision)) co_return std::move(*refusal);
    auto& upgrade = std::get<Upgrade>(decision);
    WebSocketHandshake handshake{std::move(key), upgrade.subprotocol, kept.request_id,
                                 c.thread().options().max_message_bytes, upgrade.traceparent};
    co_return Agreed{std::move(upgrade), std::move(handshake)};
  } catch (...) {
    fault = std::current_exception();
  }
  co_return fault_answer(c, fault, kept);
}

asio::awaitable<HttpResponse> answer_plain(Connection& c, HttpRequest request) {
  const HttpRequest kept = identity_of(request);
  std::exception_ptr fault;
  try {
    co_return co_await c.thread().application().handle(std::move(request));
  } catch (...) {
    fault = std::current_exception();
  }
  co_return fault_answer(c, fault, kept);
}

asio::awaitable<void> refuse(Connection& c, const HttpFailure& failure, HttpRequest& request) {
  request.request_id = offered_request_id(request);
  request.remote_address = c.remote_address();
  request.secure = c.is_secure();
  Answer answer;
  answer.response = error_answer(c, failure, request);
  answer.keep_alive = false;
  answer.without_body = request.method == "HEAD";
  const bool sent = co_await send_answer(c, answer, request.request_id);
  if (sent) co_await c.linger(kLinger);
}

// Answers requests until the connection is to end (nullopt) or to become a WebSocket.
asio::awaitable<std::optional<Agreed>> serve_http(Connection& c) {
  for (bool first = true;; first = false) {
    std::optional<RequestParser> parser(std::in_place, c.thread().options().max_header_bytes,
                                        c.thread().options().max_body_bytes);
    HttpFailure failure;
    BodyBudget::Share share(c.thread().bodies());
    const ReadResult read = co_await read_request(c, *parser, share, first, failure);
    if (read == ReadResult::gone) co_return std::nullopt;
    HttpRequest request = std::move(parser->request());
    const bool keeps_alive = read == ReadResult::complete && parser->keeps_alive();
    // What stands behind a handshake is only known of a request that was read whole.
    const bool may_upgrade = read == ReadResult::complete && parser->may_upgrade();
    parser.reset();
    if (read == ReadResult::failed) {
      // Neither is needed to say so to a peer that takes its time.
      std::string().swap(request.body);
      share.release();
      co_await refuse(c, failure, request);
      co_return std::nullopt;
    }

    c.phase = Phase::handling;
    c.clear_deadline();
    request.remote_address = c.remote_address();
    request.secure = c.is_secure();
    request.request_id = offered_request_id(request);
    const std::string request_id = request.request_id;
    Answer answer;
    answer.without_body = request.method == "HEAD";
    if (may_upgrade && asks_for_websocket(request) &&
        c.thread().application().may_upgrade(request)) {
      auto decision = co_await answer_upgrade(c, std::move(request));
      if (auto* agreed = std::get_if<Agreed>(&decision)) co_return std::move(*agreed);
      answer.response = std::get<HttpResponse>(std::move(decision));
    } else {
      answer.response = co_await answer_plain(c, std::move(request));
    }
    share.release();
    answer.keep_alive = keeps_alive && !answer.response.close && !c.thread().draining();
    const bool sent = co_await send_answer(c, answer, request_id);
    if (!sent) co_return std::nullopt;
    if (!answer.keep_alive) {
      co_await c.linger(kLinger);
      co_return std::nullopt;
    }
    // Who sends many requests at once would keep this thread: let others run between them.
    if (!c.unread.empty()) co_await asio::post(c.socket().get_executor(), asio::use_awaitable);
  }
}

struct Opened {
  std::unique_ptr<WebSocket> socket;  // null: the connection is to end
  decltype(Upgrade::session) session;
};

// TLS, where this server speaks it. Whoever speaks plain HTTP to it is told.
asio::awaitable<bool> begin_tls(Connection& c) {
  if (!c.is_secure()) co_return true;
  c.set_deadline_in(c.thread().options().header_timeout);
  const bool established = co_await c.handshake();
  c.clear_deadline();
  if (established) co_return true;
  if (c.fell_back_to_http()) {
    const HttpFailure failure{400, "This port speaks HTTPS; use https:// (wss://)."};
    HttpRequest unread;
    co_await refuse(c, failure, unread);
  }
  co_return false;
}

// Answers requests, then the handshake.
asio::awaitable<Opened> serve_until_upgrade(std::shared_ptr<Connection> c) {
  const bool begun = co_await begin_tls(*c);
  if (!begun) co_return Opened{};
  std::optional<Agreed> agreed = co_await serve_http(*c);
  if (!agreed) co_return Opened{};
  c->phase = Phase::websocket;
  c->set_deadline_in(c->thread().options().handshake_timeout);
  std::string().swap(c->unread);
  auto socket = co_await accept_websocket(c, std::move(agreed->handshake));
  c->clear_deadline();
  co_return Opened{std::move(socket), std::move(agreed->upgrade.session)};
}

}  // namespace

// Its frame lives as long as the connection: what serves HTTP and the handshake has frames of its
// own, which are gone while a WebSocket lives.
asio::awaitable<void> serve_connection(std::shared_ptr<Connection> connection) {
  // The session's function stays here: a coroutine may use what its function object captured.
  Opened opened = co_await serve_until_upgrade(std::move(connection));
  if (opened.socket) co_await opened.session(std::move(opened.socket));
}

}  // namespace tars::net
