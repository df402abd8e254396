#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <atomic>

#include "../../support/certificate.h"
#include "../../support/temp_folder.h"
#include "test_server.h"

namespace tars::net::testing {
namespace {

// What a session saw, for the test's thread.
struct Seen {
  std::promise<WsClosed> closed_promise;
  std::future<WsClosed> closed = closed_promise.get_future();
  std::promise<std::uint64_t> bytes_promise;
  std::future<std::uint64_t> bytes = bytes_promise.get_future();
};

asio::awaitable<void> drain(WebSocket& socket) {
  for (;;) {
    const auto message = co_await socket.read();
    if (!message) co_return;
  }
}

asio::awaitable<void> read_to_the_end(Seen& seen, std::unique_ptr<WebSocket> socket) {
  co_await drain(*socket);
  seen.closed_promise.set_value(socket->closed());
}

asio::awaitable<void> close_at_once(Seen& seen, std::unique_ptr<WebSocket> socket) {
  co_await socket->close(CloseCode::policy_violation, "token_expired");
  seen.closed_promise.set_value(socket->closed());
}

asio::awaitable<void> write_for_ever(WebSocket& socket, bool& ended) {
  const std::string large(256 * 1024, 'x');
  for (;;) {
    const auto written = co_await socket.write(large);
    if (!written) break;
  }
  ended = true;
}

// Writes until the peer takes nothing any more, then aborts and reads what read() says.
asio::awaitable<void> abort_when_stuck(Seen& seen, std::unique_ptr<WebSocket> socket) {
  bool ended = false;
  asio::co_spawn(socket->executor(), write_for_ever(*socket, ended), asio::detached);
  asio::steady_timer timer(socket->executor());
  for (std::uint64_t before = 1; before != socket->bytes_written();) {
    before = socket->bytes_written();
    timer.expires_after(300ms);
    co_await timer.async_wait(asio::use_awaitable);
  }
  seen.bytes_promise.set_value(socket->bytes_written());
  socket->abort(CloseCode::try_again_later, "slow_consumer");
  const auto read = co_await socket->read();
  EXPECT_EQ(read.error().code, ErrorCode::closed);
  while (!ended) {
    timer.expires_after(1ms);
    co_await timer.async_wait(asio::use_awaitable);
  }
  seen.closed_promise.set_value(socket->closed());
}

asio::awaitable<void> write_until_it_fails(WebSocket& socket, bool& ended) {
  co_await write_for_ever(socket, ended);
  socket.abort(CloseCode::internal_error, "");
}

asio::awaitable<void> wait_until(WebSocket& socket, const bool& flag) {
  asio::steady_timer timer(socket.executor());
  while (!flag) {
    timer.expires_after(1ms);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

// Says in `bytes` what was written when the peer's close frame came.
asio::awaitable<void> write_and_read(Seen& seen, std::unique_ptr<WebSocket> socket) {
  socket->when_peer_closes([&seen, &socket = *socket] {
    EXPECT_EQ(socket.closed().code, CloseCode::normal);
    seen.bytes_promise.set_value(socket.bytes_written());
  });
  bool ended = false;
  asio::co_spawn(socket->executor(), write_until_it_fails(*socket, ended), asio::detached);
  co_await drain(*socket);
  socket->abort(CloseCode::going_away, "");
  co_await wait_until(*socket, ended);
  seen.closed_promise.set_value(socket->closed());
}

// Writes a little in each turn of the thread, and goes by what that says, as a session does.
asio::awaitable<void> chatter(WebSocket& socket, bool& ended) {
  while (socket.write_now("word")) co_await asio::post(socket.executor(), asio::use_awaitable);
  const auto written = co_await socket.write("word");
  EXPECT_FALSE(written);
  socket.abort(CloseCode::internal_error, "");
  ended = true;
}

// Reads on, as a session does, while from the first message on something goes on beside it.
template <asio::awaitable<void> (*beside)(WebSocket&, bool& ended)>
asio::awaitable<void> from_the_first_message(Seen& seen, std::unique_ptr<WebSocket> socket) {
  const auto message = co_await socket->read();
  EXPECT_TRUE(message);
  bool ended = false;
  asio::co_spawn(socket->executor(), beside(*socket, ended), asio::detached);
  co_await drain(*socket);
  co_await wait_until(*socket, ended);
  seen.closed_promise.set_value(socket->closed());
}

asio::awaitable<void> close_as_well(WebSocket& socket, bool& ended) {
  co_await socket.close(CloseCode::try_again_later, "enough");
  ended = true;
}

asio::awaitable<void> close_after_a_turn(WebSocket& socket, bool& ended) {
  co_await asio::post(socket.executor(), asio::use_awaitable);
  co_await close_as_well(socket, ended);
}

// Closes while a read waits, whose owner reads no more once it has a message.
asio::awaitable<void> close_beside_the_only_read(Seen& seen, std::unique_ptr<WebSocket> socket) {
  bool ended = false;
  asio::co_spawn(socket->executor(), close_after_a_turn(*socket, ended), asio::detached);
  const auto message = co_await socket->read();
  EXPECT_TRUE(message);
  co_await wait_until(*socket, ended);
  const auto after = co_await socket->read();
  EXPECT_EQ(after.error().code, ErrorCode::closed);
  seen.closed_promise.set_value(socket->closed());
}

asio::awaitable<void> abort_at_once(std::unique_ptr<WebSocket> socket) {
  socket->abort(CloseCode::try_again_later, "bye");
  co_return;
}

asio::awaitable<void> fail(std::unique_ptr<WebSocket>) {
  throw std::runtime_error("on purpose");
  co_return;
}

asio::awaitable<void> ping_once(std::unique_ptr<WebSocket> socket) {
  const auto before = socket->last_activity();
  co_await socket->ping();
  const auto message = co_await socket->read();
  if (message) co_await socket->write(socket->last_activity() > before ? "active" : "idle");
  co_await drain(*socket);
}

Session with(Seen& seen, asio::awaitable<void> (*session)(Seen&, std::unique_ptr<WebSocket>)) {
  return [&seen, session](std::unique_ptr<WebSocket> s) { return session(seen, std::move(s)); };
}

TEST(WebSocketUpgrade, AnswersTheHandshake) {
  TestServer t;
  auto client = t.client();
  const auto r = client.upgrade("Sec-WebSocket-Protocol: tars.v1, other\r\n");
  EXPECT_EQ(r.status, 101U);
  EXPECT_TRUE(r.has("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) << r.head;
  EXPECT_TRUE(r.has("Sec-WebSocket-Protocol: tars.v1\r\n")) << r.head;
  EXPECT_TRUE(r.has("X-Request-ID: ")) << r.head;
  EXPECT_FALSE(r.has("permessage-deflate"));
}

TEST(WebSocketUpgrade, RefusalsAreOrdinaryAnswers) {
  TestServer t;
  auto client = t.client();
  const std::string tail =
      " HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  EXPECT_EQ(client.ask("GET /ws?refuse" + tail).status, 403U);
  EXPECT_EQ(client.ask("GET /ws?throw" + tail).status, 500U);
  EXPECT_EQ(client.ask("GET /ws" + tail).status, 101U);
}

TEST(WebSocketUpgrade, BadHandshakesAreRefused) {
  TestServer t;
  const std::string head = "GET /ws HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\n";
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const auto ask = [&t](const std::string& request) { return t.client().ask(request); };
  const auto old = ask(head + "Connection: Upgrade\r\nSec-WebSocket-Version: 8\r\n" + key + "\r\n");
  EXPECT_EQ(old.status, 426U);
  EXPECT_TRUE(old.has("Sec-WebSocket-Version: 13"));
  EXPECT_EQ(ask(head + "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n").status, 400U);
  EXPECT_EQ(
      ask(head + "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" + key + "\r\nearly bytes")
          .status,
      400U);
  const std::string version = "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
  for (const char* bad : {"AAAA", "!!!!!!!!!!!!!!!!!!!!!!==", "AAAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_EQ(ask(head + version + "Sec-WebSocket-Key: " + bad + "\r\n\r\n").status, 400U) << bad;
  }
  const std::string origin = "Origin: http://a\r\n";
  EXPECT_EQ(ask(head + version + key + key + "\r\n").status, 400U);
  EXPECT_EQ(ask(head + version + key + origin + "origin: http://b\r\n\r\n").status, 400U);
  EXPECT_EQ(ask(head + version + key + origin + "\r\n").status, 101U);
}

// RFC 9110 section 7.8.
TEST(WebSocketUpgrade, IsIgnoredWhereItIsNoneOrNotTaken) {
  TestServer t;
  const std::string rest =
      " HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  auto client = t.client();
  EXPECT_EQ(client.ask("GET /ws" + rest + "\r\n").body, "GET /ws") << "not in Connection";
  EXPECT_EQ(client.ask("GET /plain" + rest + "Connection: upgrade\r\n\r\n").body, "GET /plain");
  EXPECT_EQ(client.get("/next").body, "GET /next");
}

TEST(WebSocketUpgrade, ConnectionMayTakeTwoLines) {
  TestServer t;
  EXPECT_EQ(
      t.client()
          .ask("GET /ws HTTP/1.1\r\nHost: t\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n"
               "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
          .status,
      101U);
}

TEST(WebSocketUpgrade, IsUnknownToHttp10) {
  TestServer t;
  EXPECT_NE(t.client()
                .ask("GET /ws HTTP/1.0\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
                .status,
            101U);
}

TEST(WebSocketMessages, MayEndWithAnEmptyFrame) {
  TestServer t;
  auto client = t.client();
  client.upgrade();
  for (const char* text : {"a\xc3\xa9", "plain", ""}) {
    client.send(RawClient::frame(1, text, false) + RawClient::frame(0, ""));
    EXPECT_EQ(client.read_frame().payload, text);
  }
}

TEST(WebSocketMessages, ComeBackInOneFrame) {
  TestServer t;
  auto client = t.client();
  client.upgrade();
  for (const std::size_t size : {0U, 1U, 125U, 126U, 511U, 512U, 513U, 5000U, 65536U, 262144U}) {
    const std::string text(size, 'm');
    client.send_text(text);
    const auto frame = client.read_frame();
    EXPECT_EQ(frame.opcode, 1);
    EXPECT_TRUE(frame.final);
    EXPECT_TRUE(frame.payload == text) << size;
  }
}

TEST(WebSocketMessages, FragmentsArePutTogetherAroundControlFrames) {
  TestServer t;
  auto client = t.client();
  client.upgrade();
  client.send(RawClient::frame(1, "ab", false) + RawClient::frame(9, "p") +
              RawClient::frame(0, "", false) + RawClient::frame(0, "cd"));
  const auto pong = client.read_frame();
  EXPECT_EQ(pong.opcode, 10);
  EXPECT_EQ(pong.payload, "p");
  EXPECT_EQ(client.read_frame().payload, "abcd");
}

struct BadFrames {
  const char* name;
  std::string bytes;
  unsigned code;
};
class WebSocketFaults : public ::testing::TestWithParam<BadFrames> {};

TEST_P(WebSocketFaults, AreClosedWithTheirCode) {
  TestServer t;
  Seen seen;
  t.application.session = with(seen, read_to_the_end);
  auto client = t.client();
  client.upgrade();
  client.send(GetParam().bytes);
  const auto frame = client.read_frame();
  EXPECT_EQ(frame.code(), GetParam().code);
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(static_cast<unsigned>(seen.closed.get().code), GetParam().code);
  EXPECT_TRUE(t.settles_at(0));
}

INSTANTIATE_TEST_SUITE_P(
    Each, WebSocketFaults,
    ::testing::Values(BadFrames{"too_big", RawClient::frame(1, std::string(262145, 'x')), 1009},
                      BadFrames{"too_big_in_fragments",
                                RawClient::frame(1, std::string(200000, 'x'), false) +
                                    RawClient::frame(0, std::string(200000, 'x')),
                                1009},
                      BadFrames{"bad_utf8", RawClient::frame(1, "\xc3\x28"), 1007},
                      BadFrames{"cut_utf8", RawClient::frame(1, "\xe2\x82"), 1007},
                      BadFrames{"cut_utf8_with_an_empty_end",
                                RawClient::frame(1, "\xc3", false) + RawClient::frame(0, ""), 1007},
                      BadFrames{"unmasked", std::string("\x81\x01") + "x", 1002},
                      BadFrames{"reserved_opcode", RawClient::frame(3, "x"), 1002},
                      BadFrames{"stray_continuation", RawClient::frame(0, "x"), 1002}),
    [](const auto& each) { return each.param.name; });

TEST(WebSocketEnd, ThePeersCodeAndReasonAreTold) {
  TestServer t;
  Seen seen;
  t.application.session = with(seen, read_to_the_end);
  auto client = t.client();
  client.upgrade();
  client.send_close(1001, "tab closed");
  EXPECT_EQ(client.read_frame().code(), 1001U);
  const auto closed = seen.closed.get();
  EXPECT_EQ(closed.code, CloseCode::going_away);
  EXPECT_EQ(closed.reason, "tab closed");
}

TEST(WebSocketEnd, ASlowReaderThatClosesGetsItsAnswer) {
  TestServer t;
  Seen seen;
  t.application.session = with(seen, write_and_read);
  RawClient client(t.server.port(), 4096);
  client.upgrade();
  std::this_thread::sleep_for(300ms);  // until the server can write no more
  client.send_close(1000);
  ASSERT_EQ(seen.bytes.wait_for(1s), std::future_status::ready) << "told before the end";
  RawFrame frame = client.read_frame();
  while (frame.opcode == 1) frame = client.read_frame();
  EXPECT_EQ(frame.code(), 1000U);
  EXPECT_TRUE(client.ends());
  EXPECT_FALSE(client.was_reset());
  EXPECT_EQ(seen.closed.get().code, CloseCode::normal);
  EXPECT_TRUE(t.settles_at(0));
}

TEST(WebSocketEnd, APeerThatClosesAndReadsNothingIsNotWaitedForLong) {
  TestServer t;
  Seen seen;
  t.application.session = with(seen, write_and_read);
  RawClient client(t.server.port(), 4096);
  client.upgrade();
  std::this_thread::sleep_for(300ms);
  client.send_close(1000);
  EXPECT_EQ(seen.bytes.wait_for(1s), std::future_status::ready);
  ASSERT_EQ(seen.closed.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(seen.closed.get().code, CloseCode::normal);
  EXPECT_TRUE(t.settles_at(0));
}

TEST(WebSocketEnd, NothingFollowsTheCloseFrameForAFault) {
  TestServer t;
  Seen seen;
  t.application.session = with(seen, from_the_first_message<chatter>);
  auto client = t.client();
  client.upgrade();
  // It goes on sending, which is no reason to reset the connection and lose the close frame.
  client.send(RawClient::frame(1, "go") + RawClient::frame(1, "\xc3\x28") +
              RawClient::frame(1, std::string(100'000, 'x')));
  RawFrame frame = client.read_frame();
  while (frame.opcode == 1) frame = client.read_frame();
  EXPECT_EQ(frame.code(), 1007U);
  EXPECT_EQ(client.read_frame().opcode, -1);
  EXPECT_FALSE(client.was_reset());
  EXPECT_TRUE(client.send("and on")) << "read and dropped";
  client.close();
  EXPECT_EQ(seen.closed.get().code, CloseCode::invalid_payload);
  EXPECT_TRUE(t.settles_at(0));
}

TEST(WebSocketEnd, ACloseWithoutCodeIs1005) {
  TestServer t;
  Seen seen;
  t.application.session = with(seen, read_to_the_end);
  auto client = t.client();
  client.upgrade();
  client.send(RawClient::frame(8, ""));
  EXPECT_EQ(seen.closed.get().code, CloseCode::no_status);
}

TEST(WebSocketEnd, APeerThatVanishesIs1006) {
  TestServer t;
  for (const bool in_message : {false, true}) {
    Seen seen;
    t.application.session = with(seen, read_to_the_end);
    auto client = t.client();
    client.upgrade();
    if (in_message) client.send(RawClient::frame(1, "half of it", false).substr(0, 9));
    client.reset();
    EXPECT_EQ(seen.closed.get().code, CloseCode::abnormal);
  }
  EXPECT_TRUE(t.settles_at(0));
}

TEST(WebSocketEnd, CloseSendsCodeAndReason) {
  TestServer t;
  Seen seen;
  t.application.session = with(seen, close_at_once);
  auto client = t.client();
  client.upgrade();
  const auto frame = client.read_frame();
  EXPECT_EQ(frame.code(), 1008U);
  EXPECT_EQ(frame.payload.substr(2), "token_expired");
  client.send_close(1008);
  EXPECT_TRUE(client.ends());
  const auto closed = seen.closed.get();
  EXPECT_EQ(closed.code, CloseCode::policy_violation);
  EXPECT_EQ(closed.reason, "token_expired");
}

TEST(WebSocketEnd, CloseDoesNotWaitForEver) {
  TestServer t;
  Seen seen;
  t.application.session = with(seen, close_at_once);
  auto client = t.client();
  client.upgrade();
  // The peer answers nothing, and keeps its side open.
  seen.closed.get();
  EXPECT_TRUE(t.settles_at(0));
}

TEST(WebSocketEnd, AbortFreesASessionWhosePeerTakesNothing) {
  TestServer t;
  Seen seen;
  t.application.session = with(seen, abort_when_stuck);
  RawClient client(t.server.port(), 4096);
  client.upgrade();
  EXPECT_GT(seen.bytes.get(), 0U);
  EXPECT_EQ(seen.closed.get().code, CloseCode::abnormal);
  EXPECT_TRUE(t.settles_at(0));
}

TEST(WebSocketEnd, AbortStillTellsTheCodeWhereItCan) {
  TestServer t;
  t.application.session = abort_at_once;
  auto client = t.client();
  client.upgrade();
  EXPECT_EQ(client.read_frame().code(), 1013U);
  EXPECT_TRUE(client.ends());
}

TEST(WebSocketEnd, AFailingSessionIs1011) {
  TestServer t;
  t.application.session = fail;
  auto client = t.client();
  client.upgrade();
  EXPECT_EQ(client.read_frame().code(), 1011U);
  EXPECT_TRUE(t.settles_at(0));
}

// What the peer sent behind its message is here already, and not looked at, when this side closes.
// Each was an end in which Beast's close and read waited for each other for ever.
const std::string kCloseFrame = RawClient::frame(8, {"\x03\xe8", 2});
struct BothClose {
  const char* name;
  std::string behind;
  bool answers;  // with a close frame
};
class WebSocketBothClose : public ::testing::TestWithParam<BothClose> {};

TEST_P(WebSocketBothClose, NeitherWaitsForTheOther) {
  TestServer t;
  Seen seen;
  t.application.session = with(seen, from_the_first_message<close_as_well>);
  auto client = t.client();
  client.upgrade();
  client.send(RawClient::frame(1, "last") + GetParam().behind);
  const auto frame = client.read_frame();
  EXPECT_EQ(frame.code(), 1013U);
  EXPECT_EQ(client.read_frame().opcode, RawFrame{}.opcode) << "no frame follows a close frame";
  ASSERT_EQ(seen.closed.wait_for(10s), std::future_status::ready);
  const auto code = seen.closed.get().code;
  if (GetParam().answers) {
    EXPECT_EQ(code, CloseCode::try_again_later);
  }
  EXPECT_TRUE(t.settles_at(0));
}

INSTANTIATE_TEST_SUITE_P(
    Each, WebSocketBothClose,
    ::testing::Values(BothClose{"close", kCloseFrame, true},
                      BothClose{"pong_and_close", RawClient::frame(10, "p") + kCloseFrame, true},
                      BothClose{"ping_and_close", RawClient::frame(9, "p") + kCloseFrame, true},
                      BothClose{"fault", RawClient::frame(3, "x"), false},
                      BothClose{"bad_utf8", RawClient::frame(1, "\xc3\x28"), false},
                      BothClose{"another_message", RawClient::frame(1, "more"), false},
                      BothClose{"nothing", "", false}),
    [](const auto& each) { return each.param.name; });

TEST(WebSocketEnd, ACloseNeedsNobodyWhoReadsOn) {
  TestServer t;
  Seen seen;
  t.application.session = with(seen, close_beside_the_only_read);
  auto client = t.client();
  client.upgrade();
  EXPECT_EQ(client.read_frame().code(), 1013U);
  client.send_text("late");
  EXPECT_TRUE(client.ends());
  client.close();
  ASSERT_EQ(seen.closed.wait_for(10s), std::future_status::ready);
  EXPECT_TRUE(t.settles_at(0));
}

// Numbers the messages and writes without waiting until the socket keeps some, then waits.
asio::awaitable<void> write_without_waiting(std::atomic<std::uint64_t>& count,
                                            std::unique_ptr<WebSocket> socket) {
  bool drained = false;
  asio::co_spawn(socket->executor(), drain(*socket),
                 [&drained](const std::exception_ptr&) { drained = true; });
  for (int rounds = 0; rounds < 6; ++rounds) {
    while (!socket->is_backed_up()) {
      std::string text = std::to_string(count++) + " ";
      text.resize(rounds % 2 == 0 ? 3000 : 1000, '.');
      if (!socket->write_now(text)) break;
    }
    EXPECT_FALSE(socket->write_now("not now"));
    const auto flushed = co_await socket->flush();
    if (!flushed) break;
    EXPECT_FALSE(socket->is_backed_up());
  }
  co_await socket->close(CloseCode::normal, "");
  asio::steady_timer timer(socket->executor());
  while (!drained) {
    timer.expires_after(1ms);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

void expect_every_message(RawClient& client, const std::atomic<std::uint64_t>& count) {
  client.upgrade();
  std::uint64_t seen = 0;
  bool ponged = false;
  for (RawFrame frame = client.read_frame(); frame.opcode != 8; frame = client.read_frame()) {
    // A peer's ping is answered in between, in the right place.
    if (seen % 100 == 0) client.send(RawClient::frame(9, "p"));
    ponged = ponged || frame.opcode == 10;
    if (frame.opcode == 10) continue;
    ASSERT_EQ(frame.opcode, 1);
    ASSERT_EQ(frame.payload.substr(0, frame.payload.find('.')), std::to_string(seen++) + " ");
  }
  EXPECT_EQ(seen, count);
  EXPECT_TRUE(ponged);
}

TEST(WebSocketWriteNow, WhatTheKernelDoesNotTakeComesInOrder) {
  std::atomic<std::uint64_t> count = 0;
  TestServer t;
  t.application.session = [&count](std::unique_ptr<WebSocket> socket) {
    return write_without_waiting(count, std::move(socket));
  };
  RawClient client(t.server.port(), 4096);
  expect_every_message(client, count);
}

TEST(WebSocketWriteNow, SoItDoesOverTls) {
  const TempFolder folder;
  const CertificateFiles files = write_certificate(folder.path(), "first");
  ServerOptions options;
  options.tls_certificate = files.certificate;
  options.tls_key = files.key;
  std::atomic<std::uint64_t> count = 0;
  TestServer t(options);
  t.application.session = [&count](std::unique_ptr<WebSocket> socket) {
    return write_without_waiting(count, std::move(socket));
  };
  RawClient client(t.server.port(), 4096);
  ASSERT_TRUE(client.start_tls());
  expect_every_message(client, count);
}

TEST(WebSocketControl, PingIsSentAndAPongCountsAsActivity) {
  TestServer t;
  t.application.session = ping_once;
  auto client = t.client();
  client.upgrade();
  EXPECT_EQ(client.read_frame().opcode, 9);
  client.send(RawClient::frame(10, "") + RawClient::frame(1, "x"));
  EXPECT_EQ(client.read_frame().payload, "active");
}

}  // namespace
}  // namespace tars::net::testing
