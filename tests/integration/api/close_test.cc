// Why and how the server ends a socket, with the code that /metrics counts.
#include <boost/asio/post.hpp>

#include "gateway_server.h"

namespace tars::api::testing {
namespace {

class CloseTest : public GatewayServer {
 protected:
  // Lets the model say so much that a peer which reads nothing makes the writing stop.
  void flood(const std::shared_ptr<chat::testing::ScriptedGeneration>& generation) {
    const std::string text(64 * 1024, 'x');
    for (int i = 0; i < 256; ++i) generation->say(text);
  }
};

TEST_F(CloseTest, ATokenThatIsNotGoodIs1008WithAShortWord) {
  start();
  const auth::TokenPair pair = enroll();
  const auth::TokenPair revoked = enroll();
  std::promise<void> done;
  tokens_->revoke(tokens_->verify_any(revoked.access_token).value(), revoked.refresh_token,
                  [&](Result<void>) { done.set_value(); });
  done.get_future().get();
  const std::pair<std::string, const char*> rows[] = {{"", "token_missing"},
                                                      {"rubbish", "token_invalid"},
                                                      {pair.refresh_token, "token_wrong_type"},
                                                      {revoked.access_token, "token_revoked"}};
  for (const auto& [token, word] : rows) {
    Device device = knock(token);
    EXPECT_EQ(device.handshake.status, 101U) << "the handshake is done first";
    EXPECT_EQ(device.closed(), (Ending{1008, word}));
    EXPECT_EQ(device.last_words, "") << "no session was made";
  }
  clock_.advance(25h);
  EXPECT_EQ(knock(pair.access_token).closed(), (Ending{1008, "token_expired"}));
  EXPECT_TRUE(counts_closes(1008, 5));
  EXPECT_EQ(gateway_->open_sockets(), 0U);
}

TEST_F(CloseTest, TheTokenMayComeInThreePlaces) {
  start();
  const std::string good = enroll().access_token;
  EXPECT_EQ(knock("bad", bearer(good)).any().at("type").as_string(), "connection_ack");
  EXPECT_EQ(knock(good, bearer("bad")).closed(), (Ending{1008, "token_invalid"}))
      << "of several the header counts";
  Device bare = knock(good, "Sec-WebSocket-Protocol: tars.v1\r\n");
  EXPECT_TRUE(bare.handshake.has("Sec-WebSocket-Protocol: tars.v1\r\n"));
  EXPECT_EQ(bare.any().at("type").as_string(), "connection_ack");
}

TEST_F(CloseTest, AForeignOriginIsRefusedBeforeTheHandshake) {
  api_.cors_origins = {"https://chat.example"};
  start();
  const std::string token = enroll().access_token;
  EXPECT_EQ(knock(token, "Origin: https://evil.example\r\n").handshake.status, 403U);
  EXPECT_EQ(knock(token, "Origin: null\r\n").handshake.status, 403U);
  EXPECT_EQ(knock(token, "Origin: https://chat.example\r\n").handshake.status, 101U);
  EXPECT_EQ(knock(token, "Origin: http://test\r\n").handshake.status, 101U) << "its own";
}

TEST_F(CloseTest, TooManySocketsAre1013) {
  api_.max_connections = 3;
  api_.max_connections_per_client = 2;
  start();
  const std::string ann = enroll("ann").access_token;
  Device one = connect(ann);
  Device two = connect(ann);
  EXPECT_EQ(knock(ann).closed(), (Ending{1013, "too_many_connections_for_client"}));
  Device other = connect(enroll("bob").access_token);
  EXPECT_EQ(knock(enroll("cy").access_token).closed(), (Ending{1013, "too_many_connections"}));
  EXPECT_TRUE(counts_closes(1013, 2));
  one.raw.send_close(1000);
  EXPECT_EQ(one.closed().code, 1000U);
  EXPECT_TRUE(counts_closes(1000));
  EXPECT_TRUE(connect(ann).answers()) << "its place is free again";
}

TEST_F(CloseTest, FramesThatAreNotTextOrNotUtf8OrTooLarge) {
  start();
  const std::string token = enroll().access_token;
  const std::tuple<std::string, unsigned, unsigned> rows[] = {
      {RawClient::frame(2, "binary"), 1003, 1003},
      {RawClient::frame(1, "\xc3\x28"), 1007, 1007},
      {RawClient::frame(1, std::string(256 * 1024 + 1, ' ')), 1009, 1009},
      {RawClient::frame(3, "x"), 1002, 1002}};
  for (const auto& [bytes, code, counted] : rows) {
    Device device = connect(token);
    device.raw.send(bytes);
    EXPECT_EQ(device.closed().code, code);
    EXPECT_TRUE(counts_closes(counted)) << code;
  }
  Device exact = connect(token);
  exact.say(R"({"type":"ping","padding":")" + std::string(256 * 1024 - 29, 'x') + "\"}");
  EXPECT_TRUE(exact.next("pong").contains("timestamp")) << "the limit itself is taken";
}

// As a relay does: the answer comes in on the thread of the socket that follows it.
TEST_F(CloseTest, AFaultInTheMiddleOfAnAnswerLetsTheThreadGoOn) {
  start();
  const std::string token = enroll().access_token;
  const auto on_its_thread = [this](std::function<void()> work) {
    std::packaged_task<void()> task(std::move(work));
    auto done = task.get_future();
    boost::asio::post(server_->context(), std::move(task));
    ASSERT_EQ(done.wait_for(10s), std::future_status::ready);
  };
  for (std::size_t i = 0;
       const std::string& bytes :
       {RawClient::frame(1, "\xc3\x28"), RawClient::frame(1, std::string(256 * 1024 + 1, ' '))}) {
    Device device = connect(token);
    device.say(kChat);
    const auto generation = model_->generation(i++);
    on_its_thread([&] { generation->say("half"); });
    device.next("token");
    device.raw.send(bytes);
    while (device.raw.read_frame().opcode != 8) {
    }  // and it does not hang up
    for (int token_of = 0; token_of < 3; ++token_of) {
      on_its_thread([&] { generation->say(" more"); });
      std::this_thread::sleep_for(20ms);
    }
    on_its_thread([&] { model_->finish(*generation, llm::FinishReason::stop); });
    EXPECT_TRUE(connect(token).answers());
  }
}

TEST_F(CloseTest, ASilentClientIsWarnedThenClosed) {
  api_.idle_timeout = 300ms;
  start();
  Device device = connect();
  device.silent = true;
  const json::object warning = device.next("system");
  EXPECT_EQ(warning.at("level").as_string(), "warning");
  EXPECT_EQ(warning.at("message").as_string(), "Connection timeout - please reconnect");
  EXPECT_EQ(device.closed(), (Ending{1001, "idle_timeout"}));
  EXPECT_TRUE(counts_closes(1001));
}

TEST_F(CloseTest, HeartbeatsKeepAClientThatAnswersThem) {
  api_.idle_timeout = 1s;
  api_.heartbeat_interval = 100ms;
  start();
  Device device = connect();
  for (int i = 0; i < 12; ++i) EXPECT_TRUE(device.next("ping").contains("timestamp"));
  EXPECT_GE(device.ping_frames, 10) << "each with a ping frame";
  EXPECT_TRUE(device.answers());
}

TEST_F(CloseTest, ATokenThatExpiresOnTheWayIsAnnounced) {
  auth_.access_lifetime = 2s;
  start();
  Device device = connect();
  const json::object warning = device.next("system");
  EXPECT_EQ(warning.at("level").as_string(), "warning");
  EXPECT_THAT(std::string(warning.at("message").as_string()), ::testing::HasSubstr("expires"));
  EXPECT_EQ(device.closed(), (Ending{1008, "token_expired"}));
}

TEST_F(CloseTest, AReaderThatTakesNothingIsClosedAndCanResume) {
  api_.slow_reader = 200ms;
  api_.idle_timeout = 1h;
  start();
  const std::string token = enroll().access_token;
  std::string run;
  {
    Device device = connect(token, 4096);
    device.say(kChat);
    const auto generation = model_->generation(0);
    generation->say("x");
    run = device.next("token").at("run_id").as_string();
    flood(generation);
    EXPECT_TRUE(counts_closes(1013)) << "1013 slow_consumer";
  }
  EXPECT_FALSE(model_->generation(0)->stop.stop_requested()) << "a lost reader keeps its run";
  model_->finish(*model_->generation(0), llm::FinishReason::stop);
  Device again = connect(token);
  again.say(R"({"type":"resume","offset":1,"run_id":")" + run + "\"}");
  std::size_t bytes = 0;
  for (json::object frame = again.any(); frame.at("type").as_string() != "complete";
       frame = again.any()) {
    if (frame.at("type").as_string() == "token") bytes += frame.at("token").as_string().size();
  }
  EXPECT_EQ(bytes, 256U * 64 * 1024);
}

TEST_F(CloseTest, AReaderThatTakesNothingAndClosesStopsItsRunAtOnce) {
  start();
  Device device = connect(enroll().access_token, 4096);
  device.say(kChat);
  const auto generation = model_->generation(0);
  flood(generation);
  std::this_thread::sleep_for(300ms);  // until the server can write no more
  device.raw.send_close(1000);
  for (int i = 0; i < 100 && !generation->stop.stop_requested(); ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(generation->stop.stop_requested());
  EXPECT_TRUE(counts_closes(1000));
}

TEST_F(CloseTest, ControlFramesThatNobodyReadsAreBounded) {
  api_.control_queue = 8;
  api_.message_burst = 1'000'000;
  api_.slow_reader = 1h;
  start();
  Device device = connect(enroll().access_token, 4096);
  device.say(kChat);
  flood(model_->generation(0));
  // It goes on sending and reads nothing, also once the answer has filled every buffer on the way.
  for (int i = 0; i < 5000 && !has_counted(1013); ++i) {
    device.say(R"({"type":"ping"})");
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_TRUE(has_counted(1013));
}

TEST_F(CloseTest, DrainingClosesIdleSocketsAtOnceAndOthersAfterTheirAnswer) {
  start();
  const std::string token = enroll().access_token;
  Device idle = connect(token);
  Device busy = connect(token);
  busy.say(kChat);
  model_->generation(0)->say("half ");
  busy.next("token");
  engine_->drain();
  gateway_->begin_drain();
  EXPECT_EQ(idle.closed(), (Ending{1001, "server_draining"}));
  EXPECT_EQ(knock(token).handshake.status, 503U);
  const RawResponse ready = http("GET /ready");
  EXPECT_EQ(ready.status, 503U);
  EXPECT_EQ(body(ready).at("status").as_string(), "draining");
  model_->generation(0)->say("whole");
  model_->finish(*model_->generation(0), llm::FinishReason::stop);
  EXPECT_EQ(busy.next("complete").at("finish_reason").as_string(), "stop");
  EXPECT_EQ(busy.closed(), (Ending{1001, "server_draining"}));
  EXPECT_TRUE(counts_closes(1001, 2));
}

TEST_F(CloseTest, WithUnreadableRevocationsNoSocketIsLetIn) {
  start();
  const std::string token = enroll().access_token;
  stop();
  std::FILE* file = std::fopen((folder_.path() / "auth.db").c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fputs(std::string(20'000, 'x').c_str(), file);
  std::fclose(file);
  start();
  EXPECT_EQ(knock(token).closed(), (Ending{1013, "store_unavailable"}));
  EXPECT_EQ(http("GET /auth/devices", bearer(token)).status, 503U);
  EXPECT_EQ(http("GET /ready").status, 503U);
  EXPECT_EQ(http("GET /health").status, 200U);
}

}  // namespace
}  // namespace tars::api::testing
