#include "llm/remote/remote_backend.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>

#include "remote_sink.h"

namespace tars::llm {
namespace {

RemoteOptions nobody() {
  RemoteOptions out;
  out.hosts = {{.host = "127.0.0.1", .port = 1}};
  out.context_length = 512;
  return out;
}

Request question(const std::string& model = "m") {
  Request out;
  out.model = model;
  out.messages = {{Role::user, "x"}};
  return out;
}

TEST(RemoteBackend, RefusesBeforeItsStartAndAfterItsEnd) {
  const SystemClock clock;
  const auto backend = open_ollama_backend(nobody(), clock);
  const auto sink = std::make_shared<llm::testing::RemoteSink>();
  EXPECT_EQ(backend->generate(question(), sink, {}).error().code, ErrorCode::backend_unavailable);
  backend->shutdown();
  backend->shutdown();
  EXPECT_EQ(backend->generate(question(), sink, {}).error().code, ErrorCode::backend_unavailable);
  EXPECT_EQ(sink->dones, 0);
}

TEST(RemoteBackend, WithoutAnyModelNameItIsToldThatNoServerHasAnswered) {
  const SystemClock clock;
  const auto backend = open_openai_backend(nobody(), clock);
  const auto refused = backend->generate(question(""), nullptr, {});
  EXPECT_EQ(refused.error().code, ErrorCode::backend_unavailable);
  EXPECT_EQ(refused.error().message, "no model server has answered yet; try again soon");
  EXPECT_EQ(backend->generate({}, nullptr, {}).error().code, ErrorCode::invalid_message);
}

TEST(RemoteBackend, TellsWhatItIsBeforeAnyHostHasAnswered) {
  const SystemClock clock;
  RemoteOptions options = nobody();
  options.model = "llama3";
  options.slots = 3;
  const auto backend = open_ollama_backend(std::move(options), clock);
  const Status status = backend->status();
  EXPECT_EQ(status.health, Health::starting);
  EXPECT_EQ(status.model, "llama3");
  EXPECT_EQ(status.slots, 3);
  EXPECT_EQ(status.context_length, 512);
  EXPECT_EQ(backend->slots({}), 3);
  EXPECT_EQ(backend->context_length({}), 512);
  EXPECT_TRUE(backend->has_model("llama3"));
  EXPECT_FALSE(backend->has_model("other"));
  EXPECT_EQ(backend->models({}, 9), std::vector<std::string>{"llama3"}) << "it may be asked for";
}

// A thread that comes back too late ends nothing any more: then its context does, with which what
// waits on it would be used otherwise.
TEST(RemoteBackend, WhatDidNotEndInTimeEndsWithItsContext) {
  const SystemClock clock;
  boost::asio::io_context outside;
  const boost::asio::ip::tcp::acceptor silent(outside,
                                              {boost::asio::ip::make_address("127.0.0.1"), 0});
  RemoteOptions options = nobody();
  options.hosts[0].port = silent.local_endpoint().port();
  options.end_timeout = std::chrono::milliseconds(1);
  auto context = std::make_unique<boost::asio::io_context>();
  const auto backend = open_ollama_backend(std::move(options), clock);
  backend->start({context.get()});
  auto sink = std::make_shared<llm::testing::RemoteSink>();
  const std::weak_ptr<llm::testing::RemoteSink> left = sink;
  ASSERT_TRUE(backend->generate(question(), std::exchange(sink, nullptr), {}));
  context->poll();
  backend->shutdown();
  ASSERT_FALSE(left.expired());
  context.reset();
  EXPECT_TRUE(left.expired());
}

}  // namespace
}  // namespace tars::llm
