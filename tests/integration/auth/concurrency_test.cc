// Many threads at one service.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "service_fixture.h"

namespace tars::auth {
namespace {

using ConcurrencyTest = ServiceFixture;

TEST_F(ConcurrencyTest, OfManyRefreshesOfOneTokenExactlyOneWins) {
  for (int round = 0; round < 10; ++round) {
    const TokenPair pair = enroll();
    constexpr int kThreads = 4;
    std::latch start(kThreads);
    std::atomic<int> won{0};
    std::atomic<int> refused{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        const auto answer = refresh(*service_, pair.refresh_token);
        if (answer) {
          ++won;
        } else if (answer.error().code == ErrorCode::token_revoked) {
          ++refused;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(won, 1);
    EXPECT_EQ(refused, kThreads - 1);
    EXPECT_EQ(word(pair.access_token), "token_revoked") << "a second use ends the family";
  }
}

TEST_F(ConcurrencyTest, ARevocationHoldsBeforeItIsConfirmedOrAnnounced) {
  std::atomic<int> too_early{0};
  std::atomic<int> heard{0};
  service_->set_revocation_listener([&](const Revocation&) { ++heard; });
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      const std::string client = "client-" + std::to_string(t);
      for (int i = 0; i < 30; ++i) {
        const TokenPair pair = enroll(client);
        const Claims claims = claims_of(pair.access_token);
        service_->touch(claims);
        if (!revoke(*service_, claims, i % 2 ? pair.access_token : pair.refresh_token)) ++too_early;
        if (word(pair.access_token) != "token_revoked") ++too_early;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(too_early, 0);
  EXPECT_EQ(heard, 90);
}

TEST_F(ConcurrencyTest, EveryCallbackComesExactlyOnceOverAShutdown) {
  constexpr int kCalls = 200;
  std::atomic<int> answered{0};
  std::vector<std::string> tokens;
  for (int i = 0; i < kCalls; ++i) tokens.push_back(enroll().refresh_token);
  std::thread caller([&] {
    for (const std::string& token : tokens) {
      service_->refresh(token, [&](Result<TokenPair>) { ++answered; });
    }
  });
  service_->shutdown();
  caller.join();
  EXPECT_EQ(answered, kCalls);
}

}  // namespace
}  // namespace tars::auth
