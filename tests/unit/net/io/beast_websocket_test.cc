#include "net/io/beast_websocket.h"

#include <gtest/gtest.h>

#include "loopback.h"

namespace tars::net::testing {
namespace {

using Accepted = std::unique_ptr<WebSocket>;

Accepted accepted(Loopback& t) {
  t.connection->phase = Phase::websocket;
  return t.result_of(accept_websocket(
      t.connection, WebSocketHandshake{"dGhlIHNhbXBsZSBub25jZQ==", "tars.v1", "id-1", 1024}));
}

TEST(BeastWebSocket, AnswersTheHandshakeOfRfc6455) {
  Loopback t;
  const auto socket = accepted(t);
  ASSERT_NE(socket, nullptr);
  socket->abort(CloseCode::normal, "");
  const auto bytes = t.rest_of_peer();
  EXPECT_NE(bytes.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos);
  EXPECT_NE(bytes.find("Sec-WebSocket-Protocol: tars.v1"), std::string::npos);
  EXPECT_NE(bytes.find("X-Request-ID: id-1"), std::string::npos);
}

TEST(BeastWebSocket, CountsWhatItWritesAndNeverMasks) {
  Loopback t;
  const auto socket = accepted(t);
  const auto before = socket->bytes_written();
  EXPECT_TRUE(t.result_of(socket->write("hi")));
  EXPECT_EQ(socket->bytes_written() - before, 4U);
  EXPECT_TRUE(t.result_of(socket->write_binary("\xff")));
  EXPECT_EQ(socket->bytes_written() - before, 7U);
  socket->abort(CloseCode::going_away, "");
  const auto bytes = t.rest_of_peer();
  EXPECT_TRUE(bytes.ends_with(std::string("\x81\x02hi\x82\x01\xff\x88\x02\x03\xe9"))) << bytes;
}

TEST(BeastWebSocket, NothingGoesOutAfterAbort) {
  Loopback t;
  const auto socket = accepted(t);
  socket->abort(CloseCode::going_away, "");
  EXPECT_EQ(t.result_of(socket->write("x")).error().code, ErrorCode::closed);
  EXPECT_EQ(t.result_of(socket->ping()).error().code, ErrorCode::closed);
  EXPECT_EQ(t.result_of(socket->read()).error().code, ErrorCode::closed);
  EXPECT_EQ(socket->closed().code, CloseCode::going_away) << "what the peer was told";
}

}  // namespace
}  // namespace tars::net::testing
