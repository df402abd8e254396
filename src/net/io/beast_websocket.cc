#include "net/io/beast_websocket.h"

#include <boost/asio/append.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "base/utf8.h"
#include "net/io/io_thread.h"
#include "net/message/ascii.h"
#include "telemetry/log.h"

namespace tars::net {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds kCloseTimeout{2};
// What waits for a message: small, because most connections are idle most of the time.
constexpr std::size_t kFirstRead = 128;
constexpr std::size_t kMaxReason = 123;

// What Beast told the peer before a read failed; nullopt when nothing.
std::optional<CloseCode> code_sent_for(const boost::system::error_code& ec) {
  using beast::websocket::error;
  if (ec == error::message_too_big) return CloseCode::message_too_big;
  if (ec == error::bad_frame_payload) return CloseCode::invalid_payload;
  if (ec == beast::websocket::condition::protocol_violation) return CloseCode::protocol_error;
  return std::nullopt;
}

// Opcodes of RFC 6455 section 5.2.
constexpr std::uint8_t kText = 1;
constexpr std::uint8_t kBinary = 2;
constexpr std::uint8_t kClose = 8;

// The head of a whole message in one frame from a server, which masks nothing (RFC 6455
// section 5.2). Not Beast's write, a composed operation that takes a turn of the executor for each
// token (docs/decisions/0011).
std::string head_of(std::uint8_t opcode, std::size_t size) {
  std::string head(1, static_cast<char>(0x80U | opcode));
  const int bytes = size < 126 ? 0 : size <= 0xffff ? 2 : 8;
  head += static_cast<char>(bytes == 0 ? size : bytes == 2 ? 126 : 127);
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    head += static_cast<char>(size >> static_cast<unsigned>(shift));
  }
  return head;
}

std::string close_frame(CloseCode code, std::string_view reason) {
  std::string frame = head_of(kClose, reason.size() + 2);
  frame.push_back(static_cast<char>(static_cast<std::uint16_t>(code) >> 8));
  frame.push_back(static_cast<char>(static_cast<std::uint16_t>(code) & 0xff));
  return frame.append(reason);
}

// Beast writes every frame whole; what else it writes, the handshake's answer, begins with `H`.
bool is_close_frame(std::string_view frame) {
  return !frame.empty() && static_cast<std::uint8_t>(frame.front()) == (0x80U | kClose);
}

}  // namespace

// The layer below Beast's stream: the connection's socket, or the TLS on it. Takes every frame
// whole, and what the kernel does not take the connection keeps: so a frame may be written at any
// moment, without a wait, also while Beast itself waits for the socket to take a pong.
class MeteredSocket {
 public:
  using executor_type = Socket::executor_type;

  explicit MeteredSocket(Connection& connection) : connection_(&connection) {}
  executor_type get_executor() { return connection_->socket().get_executor(); }
  Connection& connection() { return *connection_; }

  // Completes once the kernel has all of it.
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        Write<Buffers>{connection_, buffers}, token, connection_->socket());
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (!connection_->is_secure()) {
      return connection_->socket().async_read_some(buffers, std::forward<Token>(token));
    }
    return asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        SecureRead{connection_, front_of(buffers)}, token, connection_->socket());
  }

 private:
  template <class Buffers>
  struct Write {
    Connection* connection;
    Buffers buffers;
    std::size_t taken = 0;
    bool started = false;

    template <class Self>
    void operator()(Self& self, boost::system::error_code ec = {}) {
      Connection& c = *connection;
      if (!std::exchange(started, true)) {
        taken = asio::buffer_size(buffers);
        std::string frame(taken, '\0');
        asio::buffer_copy(asio::buffer(frame), buffers);
        // Behind a close frame there is none, also where Beast does not know of it.
        const bool is_last_word = is_close_frame(frame);
        if (!c.close_frame_sent) ec = c.put(frame, {});
        if (is_last_word && !std::exchange(c.close_frame_sent, true)) {
          c.set_deadline_in(kCloseTimeout);
        }
        // Never completes before it has returned, as Asio asks of every operation.
        if (ec || !c.has_unsent()) {
          return asio::post(c.socket().get_executor(), asio::append(std::move(self), ec));
        }
        return c.socket().async_wait(Socket::wait_write, std::move(self));
      }
      while (!ec && c.has_unsent()) {
        const Connection::Step step = c.flush_some();
        if (step.would_block()) return c.socket().async_wait(step.wait, std::move(self));
        ec = step.error;
      }
      self.complete(ec, ec ? 0 : taken);
    }
  };

  struct SecureRead {
    Connection* connection;
    std::span<char> into;
    bool started = false;

    template <class Self>
    void operator()(Self& self, boost::system::error_code ec = {}) {
      Connection& c = *connection;
      if (!std::exchange(started, true)) {
        // Never completes before it has returned, as Asio asks of every operation.
        if (c.has_pending()) return asio::post(c.socket().get_executor(), std::move(self));
        return c.socket().async_wait(Socket::wait_read, std::move(self));
      }
      if (ec) return self.complete(ec, 0);
      const Connection::Step step = c.try_read(into);
      if (step.would_block()) return c.socket().async_wait(step.wait, std::move(self));
      self.complete(step.error, step.bytes);
    }
  };

  // The first buffer that is not empty.
  template <class Buffers>
  static std::span<char> front_of(const Buffers& buffers) {
    for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers);
         ++it) {
      const asio::mutable_buffer one(*it);
      if (one.size() > 0) return {static_cast<char*>(one.data()), one.size()};
    }
    return {};
  }

  Connection* connection_;
};

// Beast's customization points, found by argument-dependent lookup.
inline void beast_close_socket(MeteredSocket& socket) { socket.connection().close(); }

void teardown(beast::role_type, MeteredSocket& socket, beast::error_code& ec) {
  socket.connection().close();
  ec = {};
}

// Reads and drops until the peer ends, so that a peer which is still sending can read our close
// frame instead of a reset connection. Bounded by the connection's deadline.
struct DrainPeer {
  Connection* connection;
  bool started = false;

  template <class Self>
  void operator()(Self& self, boost::system::error_code ec = {}) {
    Socket& peer = connection->socket();
    if (!std::exchange(started, true)) return peer.async_wait(Socket::wait_read, std::move(self));
    auto& scratch = connection->thread().read_buffer();
    // A few buffers a turn, so that a peer that sends without pause does not keep the thread.
    for (int i = 0; i < 4 && !ec; ++i) peer.read_some(asio::buffer(scratch), ec);
    const bool wait = !ec || ec == asio::error::would_block || ec == asio::error::try_again;
    if (!wait) return self.complete({});
    peer.async_wait(Socket::wait_read, std::move(self));
  }
};

// Beast ends a connection here after the close frames. A server closes first (RFC 6455
// section 7.1.1), at once where the peer has said its last word.
template <class Handler>
void async_teardown(beast::role_type, MeteredSocket& socket, Handler&& handler) {
  Connection& c = socket.connection();
  c.finish_sending();
  if (c.peer_finished) {
    asio::post(c.socket().get_executor(),
               beast::bind_front_handler(std::forward<Handler>(handler), beast::error_code{}));
    return;
  }
  c.set_deadline_in(kCloseTimeout);
  asio::async_compose<Handler, void(boost::system::error_code)>(DrainPeer{&c}, handler, c.socket());
}

namespace {

class BeastWebSocket final : public WebSocket {
 public:
  BeastWebSocket(std::shared_ptr<Connection> connection, std::size_t max_message_bytes);
  ~BeastWebSocket() override;

  asio::awaitable<bool> accept(WebSocketHandshake handshake);

  asio::awaitable<Result<WsMessage>> read() override;
  asio::awaitable<Result<void>> write(std::string_view text) override { return send(text, true); }
  asio::awaitable<Result<void>> write_binary(std::string_view data) override {
    return send(data, false);
  }
  bool write_now(std::string_view text) override;
  bool is_backed_up() const override { return connection_->has_unsent(); }
  asio::awaitable<Result<void>> flush() override;
  asio::awaitable<Result<void>> ping() override;
  asio::awaitable<void> close(CloseCode code, std::string_view reason) override;
  void abort(CloseCode code, std::string_view reason) override;

  void when_peer_closes(std::function<void()> then) override { peer_closes_ = std::move(then); }
  const WsClosed& closed() const override { return closed_; }
  SteadyTime last_activity() const override { return last_activity_; }
  std::uint64_t bytes_written() const override { return connection_->bytes_written; }
  asio::any_io_executor executor() const override { return connection_->socket().get_executor(); }

 private:
  // One of these two is in Beast at a time. Its close holds the right to write and waits for the
  // right to read, and a read that finds the peer's last word behind what it gave before holds that
  // one and waits for the other.
  class Turn {
   public:
    Turn(BeastWebSocket& socket, bool& mine) : socket_(socket), mine_(mine) { mine_ = true; }
    ~Turn() {
      mine_ = false;
      if (socket_.other_waits_) socket_.other_waits_->cancel();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    BeastWebSocket& socket_;
    bool& mine_;
  };
  asio::awaitable<void> wait_while(const bool& others);

  // What the connection kept, until all of it is sent or `ended()`.
  template <class Ended>
  asio::awaitable<boost::system::error_code> send_kept(Ended ended);
  asio::awaitable<Result<void>> send(std::string_view data, bool text);
  asio::awaitable<void> close_alone(CloseCode code, std::string_view reason);
  asio::awaitable<void> close_beside_read(CloseCode code, std::string_view reason);
  std::size_t grown(std::size_t size) const;
  // No data frame may follow a close frame, and Beast answers the peer's by itself.
  bool is_over() const {
    return closing_ || connection_->peer_finished || connection_->close_frame_sent;
  }
  // Beast is about to end the connection by itself, in read(): it answers the peer's close frame,
  // or has told it of its fault and waits for its end. Bounded by the connection's deadline.
  bool is_ending() const {
    return !closing_ && (connection_->peer_finished || connection_->close_frame_sent);
  }
  void note_activity() { last_activity_ = std::chrono::steady_clock::now(); }
  void peer_closed();
  void read_ended(const boost::system::error_code& ec);
  void send_close_frame_now(CloseCode code, std::string_view reason);

  std::shared_ptr<Connection> connection_;
  beast::websocket::stream<MeteredSocket, false> stream_;
  WsClosed closed_;
  std::function<void()> peer_closes_;
  SteadyTime last_activity_ = std::chrono::steady_clock::now();
  std::size_t max_message_bytes_;
  bool closing_ = false;  // a close frame was sent or received, or the connection is gone
  bool reading_ = false;  // a Turn of read()
  bool ending_ = false;  // a Turn of close()
  bool read_ended_ = false;
  std::unique_ptr<asio::steady_timer> other_waits_;  // made by whoever waits for the other's Turn
};

Error closed_error() { return make_error(ErrorCode::closed, "the WebSocket is closed"); }

BeastWebSocket::BeastWebSocket(std::shared_ptr<Connection> connection,
                               std::size_t max_message_bytes)
    : connection_(std::move(connection)),
      stream_(*connection_),
      max_message_bytes_(max_message_bytes) {}

BeastWebSocket::~BeastWebSocket() {
  // A session that ends without a word failed.
  if (!closing_) abort(CloseCode::internal_error, {});
  connection_->close();
}

asio::awaitable<bool> BeastWebSocket::accept(WebSocketHandshake handshake) {
  namespace http = beast::http;
  http::request<http::empty_body> request(http::verb::get, "/", 11);
  request.set(http::field::host, "tars");
  request.set(http::field::connection, "Upgrade");
  request.set(http::field::upgrade, "websocket");
  request.set(http::field::sec_websocket_version, "13");
  request.set(http::field::sec_websocket_key, handshake.key);

  stream_.set_option(beast::websocket::stream_base::decorator(
      [&handshake](beast::websocket::response_type& response) {
        response.set(http::field::server, "tars");
        if (is_token(handshake.subprotocol)) {
          response.set(http::field::sec_websocket_protocol, handshake.subprotocol);
        }
        if (is_field_value(handshake.request_id))
          response.set("X-Request-ID", handshake.request_id);
        if (!handshake.traceparent.empty()) response.set("traceparent", handshake.traceparent);
      }));
  const auto [ec] = co_await stream_.async_accept(request, kAwait);
  stream_.set_option(
      beast::websocket::stream_base::decorator([](beast::websocket::response_type&) {}));
  if (ec) {
    closing_ = true;
    co_return false;
  }
  stream_.auto_fragment(false);
  stream_.read_message_max(max_message_bytes_);
  stream_.control_callback([this](beast::websocket::frame_type type, beast::string_view) {
    note_activity();
    if (type == beast::websocket::frame_type::close) peer_closed();
  });
  note_activity();
  co_return true;
}

asio::awaitable<void> BeastWebSocket::wait_while(const bool& others) {
  while (others) {
    if (!other_waits_) {
      other_waits_ = std::make_unique<asio::steady_timer>(executor(), SteadyTime::max());
    }
    co_await other_waits_->async_wait(kAwait);
  }
}

asio::awaitable<Result<WsMessage>> BeastWebSocket::read() {
  if (ending_) {
    co_await wait_while(ending_);
    co_return closed_error();
  }
  const Turn turn(*this, reading_);
  WsMessage message;
  std::size_t size = 0;
  message.data.resize(kFirstRead);
  do {
    if (size == message.data.size()) message.data.resize(grown(size));
    const auto [ec, n] = co_await stream_.async_read_some(
        asio::buffer(message.data.data() + size, message.data.size() - size), kAwait);
    if (ec) {
      read_ended(ec);
      co_return closed_error();
    }
    size += n;
    note_activity();
    // Beast looks for a cut character where bytes end a text, not where an empty frame does. The
    // code of the close reaches a client that has read what was sent to it before.
    const std::string_view text(message.data.data(), size);
    if (n == 0 && stream_.is_message_done() && stream_.got_text() && !is_valid_utf8(text)) {
      abort(CloseCode::invalid_payload, {});
      co_return closed_error();
    }
  } while (!stream_.is_message_done());
  message.data.resize(size);
  message.binary = stream_.got_binary();
  co_return message;
}

// Doubling, so that a frame that only promises many bytes gets no memory for them.
std::size_t BeastWebSocket::grown(std::size_t size) const {
  const std::size_t hint = stream_.read_size_hint(kFirstRead);
  return size + std::clamp<std::size_t>(hint, kFirstRead, std::max<std::size_t>(size, 16 * 1024));
}

// What was sent before it may wait for a peer that reads slowly or not at all, and the answer to it
// behind that; how it ended is known now.
void BeastWebSocket::peer_closed() {
  connection_->peer_finished = true;
  connection_->set_deadline_in(kCloseTimeout);
  const auto& reason = stream_.reason();
  closed_.code = reason.code == beast::websocket::close_code::none
                     ? CloseCode::no_status
                     : static_cast<CloseCode>(reason.code);
  closed_.reason.assign(reason.reason.data(), reason.reason.size());
  if (const auto then = std::exchange(peer_closes_, nullptr)) then();
}

void BeastWebSocket::read_ended(const boost::system::error_code& ec) {
  const bool told = std::exchange(closing_, true);  // what close() was given
  read_ended_ = true;
  connection_->clear_deadline();
  if (const auto code = code_sent_for(ec)) {
    if (!told) closed_.code = *code;
  } else if (ec != beast::websocket::error::closed &&
             telemetry::log_enabled(telemetry::LogLevel::debug)) {
    telemetry::log(telemetry::LogLevel::debug, "a WebSocket broke", {{"error", ec.message()}});
  }
}

asio::awaitable<Result<void>> BeastWebSocket::send(std::string_view data, bool text) {
  Result<void> taken = co_await flush();
  if (!taken) co_return taken;
  if (connection_->put(head_of(text ? kText : kBinary, data.size()), data)) {
    co_return closed_error();
  }
  co_return co_await flush();
}

bool BeastWebSocket::write_now(std::string_view text) {
  if (is_over() || connection_->has_unsent()) return false;
  return !connection_->put(head_of(kText, text.size()), text);
}

template <class Ended>
asio::awaitable<boost::system::error_code> BeastWebSocket::send_kept(Ended ended) {
  boost::system::error_code ec;
  while (!ec && !ended() && connection_->has_unsent()) {
    const Connection::Step step = connection_->flush_some();
    ec = step.error;
    if (!step.would_block()) continue;
    std::tie(ec) = co_await connection_->socket().async_wait(step.wait, kAwait);
  }
  co_return ec;
}

asio::awaitable<Result<void>> BeastWebSocket::flush() {
  const auto over = [this] { return is_over(); };
  boost::system::error_code ec;
  if (connection_->has_unsent()) ec = co_await send_kept(over);
  if (ec || is_over()) co_return closed_error();
  co_return Result<void>();
}

asio::awaitable<Result<void>> BeastWebSocket::ping() {
  if (is_over()) co_return closed_error();
  const auto [ec] = co_await stream_.async_ping({}, kAwait);
  if (ec) co_return closed_error();
  co_return Result<void>();
}

asio::awaitable<void> BeastWebSocket::close(CloseCode code, std::string_view reason) {
  if (is_ending()) co_return;
  if (closing_) {
    connection_->close();
    co_return;
  }
  closing_ = true;
  connection_->set_deadline_in(kCloseTimeout);
  reason = reason.substr(0, kMaxReason);
  if (reading_) {
    co_await close_beside_read(code, reason);
  } else {
    co_await close_alone(code, reason);
  }
  connection_->close();
}

// By Beast, which reads what is left of the peer's.
asio::awaitable<void> BeastWebSocket::close_alone(CloseCode code, std::string_view reason) {
  const Turn turn(*this, ending_);
  connection_->peer_finished = true;  // once it gets to the teardown
  const beast::websocket::close_reason what(static_cast<beast::websocket::close_code>(code),
                                            beast::string_view(reason.data(), reason.size()));
  const auto [ec] = co_await stream_.async_close(what, kAwait);
  if (!ec) closed_ = {code, std::string(reason)};
}

// The read finds the peer's answer, and thereby the end. Bounded by the connection's deadline.
asio::awaitable<void> BeastWebSocket::close_beside_read(CloseCode code, std::string_view reason) {
  connection_->close_frame_sent = true;
  boost::system::error_code ec = connection_->put(close_frame(code, reason), {});
  const auto over = [this] { return read_ended_; };
  if (!ec) ec = co_await send_kept(over);
  co_await wait_while(reading_);
  if (!ec && !read_ended_) {
    // Whoever read has something else to do.
    const Turn turn(*this, ending_);
    connection_->finish_sending();
    co_await asio::async_compose<const asio::use_awaitable_t<>, void(boost::system::error_code)>(
        DrainPeer{connection_.get()}, asio::use_awaitable, connection_->socket());
  }
  if (connection_->peer_finished) closed_ = {code, std::string(reason)};
}

void BeastWebSocket::abort(CloseCode code, std::string_view reason) {
  if (is_ending()) return;
  if (!closing_ && !connection_->has_unsent()) send_close_frame_now(code, reason);
  closing_ = true;
  connection_->close();
}

void BeastWebSocket::send_close_frame_now(CloseCode code, std::string_view reason) {
  reason = reason.substr(0, kMaxReason);
  const std::string frame = close_frame(code, reason);
  const Connection::Step sent = connection_->try_write(frame);
  if (sent.error) return;
  if (sent.bytes == frame.size()) closed_ = {code, std::string(reason)};
  connection_->finish_sending();
  boost::system::error_code ec;
  auto& socket = connection_->socket();
  // Closing with bytes unread would reset the connection and lose the frame; a little is enough.
  auto& scratch = connection_->thread().read_buffer();
  for (int i = 0; i < 4 && !ec; ++i) socket.read_some(asio::buffer(scratch), ec);
}

}  // namespace

asio::awaitable<std::unique_ptr<WebSocket>> accept_websocket(std::shared_ptr<Connection> connection,
                                                             WebSocketHandshake handshake) {
  const std::size_t limit = handshake.max_message_bytes;
  auto websocket = std::make_unique<BeastWebSocket>(std::move(connection), limit);
  const bool accepted = co_await websocket->accept(std::move(handshake));
  if (!accepted) co_return nullptr;
  co_return websocket;
}

}  // namespace tars::net
