#include "api/await_result.h"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <optional>
#include <string>
#include <thread>

namespace tars::api {
namespace {

using Done = std::function<void(Result<std::string>)>;

boost::asio::awaitable<void> wait_for(std::function<void(Done)> start,
                                      std::optional<Result<std::string>>& out,
                                      std::thread::id& resumed_on) {
  Result<std::string> result = co_await await_result<std::string>(std::move(start));
  resumed_on = std::this_thread::get_id();
  out.emplace(std::move(result));
}

class AwaitResultTest : public ::testing::Test {
 protected:
  void begin(std::function<void(Done)> start) {
    boost::asio::co_spawn(io_, wait_for(std::move(start), out_, resumed_on_),
                          boost::asio::detached);
  }
  boost::asio::io_context io_;
  std::optional<Result<std::string>> out_;
  std::thread::id resumed_on_;
};

TEST_F(AwaitResultTest, ACallFromInsideStartResumesLater) {
  begin([](Done done) { done(std::string("now")); });
  io_.run();
  ASSERT_TRUE(out_);
  EXPECT_EQ(out_->value(), "now");
}

TEST_F(AwaitResultTest, AnErrorIsAValue) {
  begin([](Done done) { done(make_error(ErrorCode::overloaded, "full")); });
  io_.run();
  ASSERT_TRUE(out_);
  EXPECT_EQ(out_->error().code, ErrorCode::overloaded);
}

TEST_F(AwaitResultTest, ACallFromAnotherThreadResumesOnTheOwnExecutor) {
  std::thread other;
  begin([&other](Done done) {
    other = std::thread([done = std::move(done)] { done(std::string("later")); });
  });
  const auto work = boost::asio::make_work_guard(io_);
  while (!out_) io_.run_one();
  other.join();
  EXPECT_EQ(out_->value(), "later");
  EXPECT_EQ(resumed_on_, std::this_thread::get_id());
}

TEST_F(AwaitResultTest, ALateCallForACoroutineThatIsGoneIsDropped) {
  std::optional<Done> kept;
  begin([&kept](Done done) { kept = std::move(done); });
  io_.poll();
  ASSERT_TRUE(kept);
  EXPECT_FALSE(out_);
  // The callback owns what waits; letting go of it uncalled ends the coroutine without resuming it.
  kept.reset();
  io_.restart();
  io_.poll();
  EXPECT_FALSE(out_);
}

boost::asio::awaitable<void> wait_a_moment(std::function<void(Done)> start,
                                           std::chrono::milliseconds patience,
                                           std::optional<Result<std::string>>& out) {
  Result<std::string> result = co_await await_result<std::string>(std::move(start), patience);
  out.emplace(std::move(result));
}

class AwaitResultPatiently : public AwaitResultTest {
 protected:
  void begin(std::function<void(Done)> start, std::chrono::milliseconds patience) {
    boost::asio::co_spawn(io_, wait_a_moment(std::move(start), patience, out_),
                          boost::asio::detached);
  }
};

TEST_F(AwaitResultPatiently, AnAnswerInTimeEndsTheWait) {
  std::thread other;
  begin(
      [&other](Done done) {
        other = std::thread([done = std::move(done)] { done(std::string("soon")); });
      },
      std::chrono::hours(1));
  io_.run();  // it ends, so no timer is left
  other.join();
  ASSERT_TRUE(out_);
  EXPECT_EQ(out_->value(), "soon");
}

TEST_F(AwaitResultPatiently, ALateAnswerIsDropped) {
  std::optional<Done> kept;
  begin([&kept](Done done) { kept = std::move(done); }, std::chrono::milliseconds(1));
  io_.run();
  ASSERT_TRUE(out_);
  EXPECT_EQ(out_->error().code, ErrorCode::timeout);
  out_.reset();
  (*kept)(std::string("late"));
  kept.reset();
  io_.restart();
  io_.run();
  EXPECT_FALSE(out_);
}

TEST_F(AwaitResultPatiently, AnAnswerFromInsideStart) {
  begin([](Done done) { done(std::string("now")); }, std::chrono::hours(1));
  io_.run();
  ASSERT_TRUE(out_);
  EXPECT_EQ(out_->value(), "now");
}

TEST_F(AwaitResultPatiently, WhatStillWaitsAtTheEndGoesWithTheContext) {
  std::optional<Done> kept;
  {
    boost::asio::io_context io;
    std::optional<Result<std::string>> out;
    boost::asio::co_spawn(
        io,
        wait_a_moment([&kept](Done done) { kept = std::move(done); }, std::chrono::hours(1), out),
        boost::asio::detached);
    io.poll();
    kept.reset();
  }
  EXPECT_FALSE(out_);
}

}  // namespace
}  // namespace tars::api
