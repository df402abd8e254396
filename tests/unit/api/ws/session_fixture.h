// A session over doubles, run until nothing more is ready.
#pragma once

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "../fakes.h"
#include "api/ws/session.h"

namespace tars::api::testing {

inline boost::asio::awaitable<void> run_session(std::shared_ptr<Session> session) {
  co_await session->run();
}

// Its wall clock stands until the test moves it; its steady one is the machine's, moved by the
// test.
class MovedClock final : public Clock {
 public:
  WallTime wall() const override { return now; }
  SteadyTime steady() const override { return std::chrono::steady_clock::now() + moved; }

  WallTime now = SystemClock().wall();
  std::chrono::hours moved{0};
};

class SessionFixture : public ::testing::Test {
 protected:
  void open(std::chrono::seconds token_lifetime = std::chrono::hours(1)) {
    SessionInfo info{.session_id = "ses_1", .claims = {}, .ip_address = "127.0.0.1"};
    info.claims.client_id = "me";
    info.claims.family = "fam";
    info.claims.token_id = "tok";
    info.claims.good_until = unix_seconds(clock_.wall() + token_lifetime);
    info.connected_at = clock_.wall();
    session_ =
        std::make_shared<Session>(info, SessionServices{engine_, hub_, metrics_, clock_, options_},
                                  std::make_unique<FakeSocket>(wire_));
    ASSERT_TRUE(hub_.add(session_));
    boost::asio::co_spawn(io_, run_session(session_), boost::asio::detached);
    settle();
  }
  void settle() {
    io_.restart();
    io_.poll();
  }
  void say(std::string text) {
    wire_.hear(std::move(text));
    settle();
  }
  chat::Run& run(std::size_t index = 0) { return *engine_.runs.at(index); }
  void finish(chat::Run& run, chat::RunStatus status = chat::RunStatus::complete) {
    chat::Outcome outcome;
    outcome.status = status;
    outcome.finish_reason = "stop";
    run.finish(outcome);
    run.wake();
    settle();
  }
  void TearDown() override {
    wire_.stuck = false;
    wire_.end(net::CloseCode::abnormal);
    settle();
    EXPECT_EQ(hub_.size(), 0U);
  }

  boost::asio::io_context io_;
  MovedClock clock_;
  Options options_;
  telemetry::Metrics metrics_;
  FakeEngine engine_;
  Hub hub_{8, 4};
  Wire wire_{io_};
  std::shared_ptr<Session> session_;
};

}  // namespace tars::api::testing
