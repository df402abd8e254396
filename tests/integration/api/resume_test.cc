// A socket is a position in a run: whoever lost one goes on where it was.
#include "gateway_server.h"

namespace tars::api::testing {
namespace {

class ResumeTest : public GatewayServer {
 protected:
  static std::string resume(std::string_view name, std::string_view id, int offset) {
    return R"({"type":"resume",")" + std::string(name) + "\":\"" + std::string(id) +
           R"(","offset":)" + std::to_string(offset) + "}";
  }
  // All tokens up to `complete`, put together.
  static std::string read_answer(Device& device) {
    std::string text;
    for (;;) {
      const json::object frame = device.any();
      if (frame.at("type").as_string() == "complete") return text;
      if (frame.at("type").as_string() == "token") text += frame.at("token").as_string();
    }
  }
  // Asks, lets the model say one, two, three, loses the socket after "one ", and tells the run's
  // id.
  std::string ask_and_vanish(const auth::TokenPair& pair) {
    Device device = connect(pair.access_token);
    device.say(R"({"type":"chat","content":"count","message_id":"m1"})");
    const auto generation = model_->generation(0);
    generation->say("one ");
    const json::object token = device.next("token");
    device.raw.reset();
    generation->say("two ");
    generation->say("three");
    return std::string(token.at("run_id").as_string());
  }
};

TEST_F(ResumeTest, ByRunOrByMessageWhileItRunsAndAfterwards) {
  start();
  const auth::TokenPair pair = enroll();
  const std::string run = ask_and_vanish(pair);
  Device by_run = connect(pair.access_token);
  by_run.say(resume("run_id", run, 1));
  EXPECT_EQ(by_run.next("token").at("offset").as_int64(), 1);
  Device by_message = connect(pair.access_token);
  by_message.say(resume("message_id", "m1", 0));
  model_->finish(*model_->generation(0), llm::FinishReason::stop);
  EXPECT_EQ(read_answer(by_message), "one two three");
  by_run.next("complete");
  by_run.say(resume("message_id", "m1", 2));
  EXPECT_EQ(read_answer(by_run), "three");
  by_run.say(resume("run_id", run, 3));
  EXPECT_EQ(read_answer(by_run), "") << "all is held: only the end is left";
  EXPECT_EQ(model_->begun(), 1U);
}

TEST_F(ResumeTest, AfterARestart) {
  start();
  const auth::TokenPair pair = enroll();
  const std::string run = ask_and_vanish(pair);
  model_->finish(*model_->generation(0), llm::FinishReason::stop);
  stop();
  start();
  Device device = connect(pair.access_token);
  device.say(resume("message_id", "m1", 1));
  EXPECT_EQ(read_answer(device), "two three");
  device.say(resume("run_id", run, 0));
  EXPECT_EQ(read_answer(device), "one two three");
  EXPECT_EQ(model_->begun(), 0U);
}

TEST_F(ResumeTest, PastTheEndUnknownOrAnothersIsRefused) {
  start();
  const auth::TokenPair pair = enroll();
  const std::string run = ask_and_vanish(pair);
  Device device = connect(pair.access_token);
  EXPECT_EQ(device.error_for(resume("run_id", run, 4)), "INVALID_MESSAGE");
  EXPECT_EQ(device.error_for(resume("message_id", "m1", 4)), "INVALID_MESSAGE");
  EXPECT_EQ(device.error_for(resume("run_id", "run_x", 0)), "RUN_NOT_FOUND");
  EXPECT_EQ(device.error_for(resume("message_id", "m2", 0)), "RUN_NOT_FOUND");
  Device stranger = connect(enroll("bob").access_token);
  EXPECT_EQ(stranger.error_for(resume("run_id", run, 0)), "RUN_NOT_FOUND");
  EXPECT_EQ(stranger.error_for(resume("message_id", "m1", 0)), "RUN_NOT_FOUND");
  EXPECT_TRUE(device.answers());
}

TEST_F(ResumeTest, WhatIsTooOldIsLostHistory) {
  chat_.retention = 1h;
  start();
  const auth::TokenPair pair = enroll();
  const std::string run = ask_and_vanish(pair);
  model_->finish(*model_->generation(0), llm::FinishReason::stop);
  stop();
  clock_.advance(2h);
  start();
  Device device = connect(pair.access_token);
  EXPECT_EQ(device.error_for(resume("run_id", run, 3)), "HISTORY_LOST");
  EXPECT_EQ(device.error_for(R"({"type":"chat","content":"count","message_id":"m1"})"),
            "HISTORY_LOST")
      << "the same message never generates twice";
}

TEST_F(ResumeTest, ASocketThatClosesOnPurposeCancelsUnlessAskedToFinish) {
  start();
  Device device = connect();
  device.say(kChat);
  const auto cancelled = model_->generation(0);
  device.say(R"({"type":"chat","content":"go on","on_disconnect":"finish"})");
  const auto finishing = model_->generation(1);
  device.raw.send_close(1000);
  EXPECT_EQ(device.closed().code, 1000U);
  while (!cancelled->stop.stop_requested()) std::this_thread::sleep_for(1ms);
  EXPECT_FALSE(finishing->stop.stop_requested());
}

}  // namespace
}  // namespace tars::api::testing
