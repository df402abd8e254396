#include "net/client/exchange.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

#include "net/client/client_connection.h"
#include "net/client/client_state.h"
#include "net/client/read_poller.h"

namespace tars::net {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kStagger{250};  // RFC 8305, section 8
constexpr std::size_t kReadBytes = 16 * 1024;  // a TLS record at most

std::string bytes_of(const Endpoint& endpoint, const ClientRequest& request) {
  std::string out;
  out.reserve(256 + request.body.size());
  out += request.method + " " + endpoint.base_path + request.target +
         " HTTP/1.1\r\nHost: " + (request.host.empty() ? endpoint.authority() : request.host) +
         "\r\n";
  // Nothing here unpacks an answer, and without the line a server may pack it.
  out += "Accept-Encoding: identity\r\n";
  for (const auto& [name, value] : request.headers) out += name + ": " + value + "\r\n";
  if (!request.body.empty() || request.method == "POST") {
    out += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  out += "\r\n";
  out += request.body;
  return out;
}

Error unreachable(const Endpoint& endpoint, const std::string& why) {
  return make_error(ErrorCode::backend_unavailable,
                    "no connection to " + endpoint.url() + ": " + why);
}

}  // namespace

Exchange::Exchange(std::shared_ptr<ClientState> client, const Endpoint& endpoint)
    : client_(std::move(client)), endpoint_(endpoint) {
  client_->add(*this);
  closed_ = client_->closed();
}

Exchange::~Exchange() {
  client_->remove(*this);
  const bool whole = connection_ && !connection_->is_detached() && !closed_ && !spoiled_;
  if (whole && parser_ && parser_->keeps_alive()) {
    client_->keep(endpoint_, std::move(connection_));
  }
}

void Exchange::wait_at_most(std::chrono::milliseconds timeout) {
  deadline_ = std::chrono::steady_clock::now() + timeout;
}

void Exchange::check_deadline(SteadyTime now) {
  // It leads somewhere after all: a lost packet later on is waited for as on a new one.
  if (doubted_ && connection_ && connection_->is_acknowledged()) {
    doubted_ = false;
    connection_->give_up_unacknowledged(client_->options().ack_timeout);
  }
  if (now < deadline_) return;
  deadline_ = SteadyTime::max();
  timed_out_ = true;
  drop_connection();
}

void Exchange::close() {
  closed_ = true;
  drop_connection();
}

void Exchange::drop_connection() {
  if (looking_up_) looking_up_->cancel();
  if (connection_) connection_->close();
}

// What ended the waiting is what happened, whatever the socket says about it.
Error Exchange::explain(Error error) const {
  if (closed_) return make_error(ErrorCode::closed, "the request was given up");
  if (timed_out_) {
    return make_error(ErrorCode::timeout, endpoint_.url() + " did not answer in time");
  }
  return error;
}

asio::awaitable<Result<void>> Exchange::start(ClientRequest request,
                                              std::chrono::milliseconds head_timeout) {
  const std::string bytes = bytes_of(endpoint_, request);
  if (closed_) co_return explain({});
  connection_ = client_->take(endpoint_);
  if (connection_) {
    connection_->give_up_unacknowledged(client_->options().kept_ack_timeout);
    Result<void> answered = co_await attempt(bytes, head_timeout, true);
    // What a server says whose patience with the idle connection ended as the request was on its
    // way (RFC 9110 section 15.5.9).
    const bool idle = answered && !closed_ && parser_->head().status == 408;
    if (!idle && (answered || closed_ || timed_out_ || parser_->started())) co_return answered;
  }
  Result<void> connected = co_await connect();
  if (!connected) {
    if (closed_) co_return explain(connected.error());
    const Error& error = connected.error();
    if (error.code == ErrorCode::overloaded) co_return error;
    const bool slow = timed_out_ && error.code != ErrorCode::timeout;
    co_return unreachable(endpoint_, slow ? "it takes too long" : error.message);
  }
  co_return co_await attempt(bytes, head_timeout, false);
}

asio::awaitable<Result<void>> Exchange::connect() {
  wait_at_most(client_->options().connect_timeout);
  looking_up_ = std::make_unique<HostLookup>(client_->context(), client_->names());
  const Result<HostNames::Addresses> found = co_await looking_up_->run(endpoint_.host);
  looking_up_.reset();
  if (timed_out_) {
    co_return make_error(ErrorCode::timeout, "nobody tells its address in time");
  }
  if (closed_) co_return make_error(ErrorCode::closed, "given up");
  if (!found) co_return found.error();
  std::vector<ClientConnection::Tcp::endpoint> addresses;
  for (const auto& address : *found) addresses.emplace_back(address, endpoint_.port);
  // Each address is to have its chance within the time.
  const auto attempts = static_cast<int>(addresses.size());
  const auto share = client_->options().connect_timeout / (attempts + 1);
  connection_ = std::make_unique<ClientConnection>(client_->context());
  Result<void> connected =
      co_await connection_->connect(std::move(addresses), std::min(kStagger, share));
  if (!connected && !closed_ && connected.error().code != ErrorCode::overloaded) {
    client_->names()->doubt(endpoint_.host);
  }
  if (connected) connection_->give_up_unacknowledged(client_->options().ack_timeout);
  if (!connected || !endpoint_.secure) co_return connected;
  if (closed_ || timed_out_) co_return make_error(ErrorCode::closed, "given up");
  auto tls = client_->tls();
  if (!tls) co_return tls.error();
  read_buffer_ = std::make_unique<char[]>(kReadBytes);
  co_return co_await connection_->secure(**tls, endpoint_.host);
}

asio::awaitable<Result<void>> Exchange::attempt(std::string_view bytes,
                                                std::chrono::milliseconds head_timeout, bool kept) {
  // Nothing of what a first attempt brought belongs to this answer.
  parser_ = std::make_unique<ResponseParser>();
  body_.clear();
  broken_.reset();
  spoiled_ = false;
  wait_at_most(head_timeout);
  sent_at_ = std::chrono::steady_clock::now();
  if (closed_) co_return explain({});
  Result<void> sent = co_await connection_->write(bytes);
  doubted_ = kept;
  // A server that refuses early may answer before it has read everything: look for that, too.
  while (!parser_->head_done()) {
    Result<std::size_t> n = co_await read_some();
    if (!n) co_return explain(sent ? n.error() : sent.error());
    if (*n == 0) {
      co_return explain(make_error(ErrorCode::io_error,
                                   endpoint_.url() + " closed the connection without an answer"));
    }
  }
  co_return Result<void>();
}

// One read, fed to the parser. 0 = the peer closed.
asio::awaitable<Result<std::size_t>> Exchange::read_some() {
  if (!read_buffer_) read_buffer_ = std::make_unique<char[]>(kReadBytes);
  const Result<std::size_t> n = co_await connection_->read(read_buffer_.get(), kReadBytes);
  if (!n || *n == 0) co_return n;
  const Result<void> fed = feed({read_buffer_.get(), *n});
  if (!fed) co_return fed.error();
  co_return n;
}

Result<void> Exchange::feed(std::string_view bytes) {
  const Result<void> fed = parser_->feed(bytes, body_);
  spoiled_ = spoiled_ || !fed;
  if (fed || body_.empty()) return fed;
  broken_ = fed.error();  // once what came before it is taken
  return {};
}

asio::awaitable<Result<std::string_view>> Exchange::read_body(std::chrono::milliseconds timeout) {
  if (!parser_) co_return explain(make_error(ErrorCode::io_error, "there is no answer to read"));
  if (given_) body_.clear();
  given_ = true;
  wait_at_most(timeout);
  while (body_.empty() && !parser_->done()) {
    if (closed_ || timed_out_) co_return explain({});
    if (broken_) co_return *broken_;
    const Result<std::size_t> n = co_await read_some();
    if (!n) co_return explain(n.error());
    if (*n > 0) continue;
    const Result<void> finished = parser_->finish();
    if (!finished) co_return explain(finished.error());
  }
  co_return std::string_view(body_);
}

asio::awaitable<Exchange::Body> Exchange::read_all(std::size_t limit,
                                                   std::chrono::milliseconds timeout) {
  using std::chrono::milliseconds;
  Body out;
  const auto until = std::chrono::steady_clock::now() + timeout;
  while (out.bytes.size() <= limit) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
    // Bytes that come in time's last moment after moment are an end, too.
    if (left.count() <= 0) timed_out_ = true;
    const Result<std::string_view> bytes = co_await read_body(std::max(left, milliseconds(0)));
    if (!bytes) out.trouble = bytes.error();
    if (!bytes || bytes->empty()) co_return out;
    out.bytes += *bytes;
  }
  out.trouble =
      make_error(ErrorCode::payload_too_large,
                 endpoint_.url() + " answers with more than " + std::to_string(limit) + " bytes");
  co_return out;
}

// What read_each() has on a socket with TLS. Holds the waiting coroutine as Asio's own operations
// do: with it goes what waits. Without an executor of its own it is called straight from the
// reactor.
template <class Handler>
struct Exchange::EachRead {
  Exchange* exchange;
  const Take* take;
  Handler handler;

  void operator()(const boost::system::error_code& ec, std::size_t n) {
    std::optional<Result<void>> ended =
        exchange->on_read(ec, {exchange->read_buffer_.get(), n}, *take);
    if (ended) return std::move(handler)(*std::move(ended));
    read();
  }
  void read() {
    Exchange& e = *exchange;
    e.connection_->async_read(e.read_buffer_.get(), kReadBytes, std::move(*this));
  }
};

asio::awaitable<Result<void>> Exchange::read_each(std::chrono::milliseconds timeout,
                                                  const Take& take) {
  if (!parser_) co_return explain(make_error(ErrorCode::io_error, "there is no answer to read"));
  if (std::exchange(given_, false)) body_.clear();
  wait_at_most(timeout);
  std::optional<Result<void>> ended = give(take);
  if (ended) co_return *std::move(ended);
  const Result<int> plain = connection_->detach();
  Result<void> read;
  if (plain) {
    read = co_await each_polled(take, *plain);
  } else {
    read = co_await each_read(take);
  }
  if (fault_) std::rethrow_exception(std::exchange(fault_, {}));
  co_return read;
}

asio::awaitable<Result<void>> Exchange::each_read(const Take& take) {
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<void>)>(
      [&](auto handler) { EachRead<decltype(handler)>{this, &take, std::move(handler)}.read(); },
      asio::use_awaitable);
}

// The same on a socket without TLS, by the poller.
template <class Handler>
class Exchange::PolledRead final : public ReadPoller::Reader {
 public:
  PolledRead(Exchange& exchange, const Take& take, Handler handler)
      : exchange_(exchange), take_(take), handler_(std::move(handler)) {}

  bool on_read(const boost::system::error_code& ec, std::string_view bytes) noexcept override {
    ended_ = exchange_.on_read(ec, bytes, take_);
    return !ended_;
  }
  void complete() override { std::move(handler_)(*std::move(ended_)); }
  void fail(Error error) { ended_ = Result<void>(std::move(error)); }

 private:
  Exchange& exchange_;
  const Take& take_;
  Handler handler_;
  std::optional<Result<void>> ended_;
};

asio::awaitable<Result<void>> Exchange::each_polled(const Take& take, int socket) {
  auto& poller = asio::use_service<ReadPoller>(client_->context());
  Result<void> read =
      co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<void>)>(
          [&](auto handler) {
            using Read = PolledRead<decltype(handler)>;
            auto polled = std::make_unique<Read>(*this, take, std::move(handler));
            std::unique_ptr<ReadPoller::Reader> reader = std::move(polled);
            const Result<void> added = poller.add(socket, reader);
            if (added) return;
            static_cast<Read&>(*reader).fail(added.error());
            asio::post(client_->context(), [reader = std::move(reader)] { reader->complete(); });
          },
          asio::use_awaitable);
  // For what is left of the answer, and for the next request.
  const Result<void> attached = connection_->attach();
  spoiled_ = spoiled_ || !attached;
  co_return read;
}

// Hands over what is there. A result = no more is to be read.
std::optional<Result<void>> Exchange::give(const Take& take) {
  if (!body_.empty()) {
    const bool more = take(body_);
    body_.clear();
    if (!more) return Result<void>();
  }
  if (parser_->done()) {
    take({});
    return Result<void>();
  }
  if (closed_ || timed_out_) return explain({});
  if (broken_) return *broken_;
  return std::nullopt;
}

// An exception in here would go to the event loop, and whoever waits would never hear of it.
std::optional<Result<void>> Exchange::on_read(const boost::system::error_code& ec,
                                              std::string_view bytes, const Take& take) noexcept {
  try {
    return took(ec, bytes, take);
  } catch (...) {
    spoiled_ = true;
    fault_ = std::current_exception();
    return Result<void>();
  }
}

std::optional<Result<void>> Exchange::took(const boost::system::error_code& ec,
                                           std::string_view bytes, const Take& take) {
  Result<void> done;
  if (ClientConnection::is_end(ec)) {
    done = parser_->finish();
  } else if (ec) {
    done = make_error(ErrorCode::io_error, ec.message());
  } else {
    done = feed(bytes);
  }
  if (!done) return explain(done.error());
  return give(take);
}

}  // namespace tars::net
