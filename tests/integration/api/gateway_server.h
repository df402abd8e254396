// The wire on real sockets over real tokens, real chats and a model whose words the test says.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "../../support/temp_folder.h"
#include "../../unit/chat/scripted_backend.h"
#include "../net/raw_client.h"
#include "api/gateway.h"

namespace tars::api::testing {

using namespace std::chrono_literals;
namespace json = boost::json;
using chat::testing::ScriptedBackend;
using net::testing::RawClient;
using net::testing::RawFrame;
using net::testing::RawResponse;

// The machine's clocks, the wall clock moved by the test.
class MovedClock final : public Clock {
 public:
  WallTime wall() const override { return system_.wall() + std::chrono::seconds(moved_.load()); }
  SteadyTime steady() const override { return system_.steady(); }
  void advance(std::chrono::seconds by) { moved_ += by.count(); }

 private:
  SystemClock system_;
  std::atomic<std::int64_t> moved_{0};
};

struct Ending {
  unsigned code = 0;  // 0: the connection ended without a close frame
  std::string reason;
  bool operator==(const Ending&) const = default;
};
inline void PrintTo(const Ending& ending, std::ostream* out) {
  *out << ending.code << " " << ending.reason;
}

// A client on /ws/chat. Answers pings, as every WebSocket library does, unless told to be silent.
class Device {
 public:
  Device(std::uint16_t port, const std::string& target, const std::string& headers = {},
         int receive_buffer = 0)
      : raw(port, receive_buffer) {
    handshake = raw.ask("GET " + target +
                        " HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                        headers + "\r\n");
  }

  void say(std::string_view text) { raw.send_text(text); }
  // What it sends of this type next; frames of other types are skipped. Throws at a close.
  json::object next(std::string_view type) {
    for (;;) {
      json::object frame = any();
      if (frame.at("type").as_string() == type) return frame;
    }
  }
  json::object any() {
    for (;;) {
      const RawFrame frame = raw.read_frame();
      if (frame.opcode == 1) return json::parse(frame.payload).as_object();
      if (frame.opcode == 9) {
        ++ping_frames;
        if (!silent) raw.send(RawClient::frame(10, frame.payload));
        continue;
      }
      note_end(frame);
      throw std::runtime_error("closed: " + std::to_string(ending.code) + " " + ending.reason);
    }
  }
  // `code` of the error that answers `text`.
  std::string error_for(std::string_view text) {
    say(text);
    return std::string(next("error").at("code").as_string());
  }
  // Reads to the end.
  Ending closed() {
    try {
      for (;;) last_words = std::string(any().at("type").as_string());
    } catch (const std::runtime_error&) {
    }
    return ending;
  }
  bool answers() {
    say(R"({"type":"ping"})");
    return next("pong").contains("timestamp");
  }

  RawClient raw;
  RawResponse handshake;
  Ending ending;
  std::string last_words;  // the type of the last frame before the end
  int ping_frames = 0;
  bool silent = false;

 private:
  void note_end(const RawFrame& frame) {
    ending = {frame.code(), frame.payload.substr(std::min<std::size_t>(2, frame.payload.size()))};
    if (frame.opcode == 8) raw.send(RawClient::frame(8, frame.payload));
    raw.close();
  }
};

class GatewayServer : public ::testing::Test {
 protected:
  GatewayServer() {
    auth_.secret_key = "a secret of at least 32 bytes, for tests";
    net_.port = 0;
    api_.auth_rate_per_minute = 0;
  }
  ~GatewayServer() override { stop(); }

  void start() {
    tokens_ = auth::TokenService::open(folder_.path() / "auth.db", auth_, clock_).value();
    model_ = std::make_unique<ScriptedBackend>();
    engine_ =
        chat::Engine::open(folder_.path() / "chat.db", chat_, *model_, clock_, metrics_).value();
    gateway_ = std::make_unique<Gateway>(*tokens_, *engine_, *model_, metrics_, clock_, api_);
    server_ = std::make_unique<net::Server>(net_, *gateway_);
    ASSERT_TRUE(server_->listen());
    server_->start();
  }
  // In the order in which the program ends.
  void stop() {
    if (!server_) return;
    (void)engine_->shutdown();
    gateway_->close_all(net::CloseCode::going_away, "server_shutdown");
    tokens_->shutdown();
    server_->stop(1s);
    server_.reset();
    gateway_.reset();
    engine_.reset();
    model_.reset();
    tokens_.reset();
  }

  auth::TokenPair enroll(const std::string& client = "ann") {
    return tokens_
        ->enroll({.client_id = client, .device_name = {}, .device_type = {}, .enrollment_key = {}})
        .value();
  }
  Device knock(const std::string& token, const std::string& headers = {}, int receive_buffer = 0) {
    return {server_->port(), "/ws/chat?token=" + token, headers, receive_buffer};
  }
  // A socket that was let in.
  Device connect(const std::string& token, int receive_buffer = 0) {
    Device device = knock(token, {}, receive_buffer);
    EXPECT_EQ(device.handshake.status, 101U);
    EXPECT_EQ(device.any().at("type").as_string(), "connection_ack");
    return device;
  }
  Device connect() { return connect(enroll().access_token); }

  RawResponse http(const std::string& line, const std::string& headers = {},
                   const std::string& body = {}) {
    RawClient client(server_->port());
    const std::string length =
        body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return client.ask(line + " HTTP/1.1\r\nHost: test\r\n" + headers + length + "\r\n" + body);
  }
  RawResponse post(const std::string& path, const std::string& body,
                   const std::string& headers = {}) {
    return http("POST " + path, "Content-Type: application/json\r\n" + headers, body);
  }
  static std::string bearer(const std::string& token) {
    return "Authorization: Bearer " + token + "\r\n";
  }
  static json::object body(const RawResponse& response) {
    return json::parse(response.body).as_object();
  }

  // Whether /metrics counts this many sockets closed with `code`, for whatever reason.
  bool has_counted(unsigned code, int wanted = 1) {
    const std::string series = "tars_websocket_closes_total{code=\"" + std::to_string(code) + "\",";
    std::istringstream lines(metrics_.text());
    int counted = 0;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(series)) counted += std::stoi(line.substr(line.rfind(' ')));
    }
    return counted == wanted;
  }
  // The same, waited for; false when it does not come to that.
  bool counts_closes(unsigned code, int wanted = 1) {
    for (int i = 0; i < 1000; ++i) {
      if (has_counted(code, wanted)) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  const TempFolder folder_;
  MovedClock clock_;
  telemetry::Metrics metrics_;
  net::ServerOptions net_;
  auth::Options auth_;
  chat::Options chat_;
  Options api_;
  std::unique_ptr<auth::TokenService> tokens_;
  std::unique_ptr<ScriptedBackend> model_;
  std::unique_ptr<chat::Engine> engine_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<net::Server> server_;
};

inline constexpr const char* kChat = R"({"type":"chat","content":"hi"})";

}  // namespace tars::api::testing
