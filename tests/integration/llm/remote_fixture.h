// A backend for model servers on a thread of its own, and a sink that remembers.
#pragma once

#include <gtest/gtest.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "fake_upstream.h"
#include "llm/remote/remote_backend.h"

namespace tars::llm::testing {

class RecordingSink final : public Sink {
 public:
  void on_start(int, int) override {
    note([&] { ++starts; });
  }
  void on_token(std::string_view text) override {
    note([&] {
      answer += text;
      ++tokens;
    });
  }
  void on_step_end() override {
    note([&] { ++steps; });
  }
  void on_done(std::string_view rest, Result<Completion> result) override {
    note([&] {
      answer += rest;
      ++dones;
      outcome = std::move(result);
    });
  }

  // False after 20 s.
  bool wait_for(const std::function<bool()>& what) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), what);
  }
  bool wait_done() {
    return wait_for([this] { return dones > 0; });
  }
  // "stop", "length", "cancelled", or the error's message.
  std::string ending() {
    std::lock_guard lock(mutex_);
    if (!outcome) return "none";
    if (!*outcome) return outcome->error().message;
    switch ((*outcome)->reason) {
      case FinishReason::stop: return "stop";
      case FinishReason::length: return "length";
      case FinishReason::cancelled: return "cancelled";
    }
    return "";
  }
  std::optional<ErrorCode> error() {
    std::lock_guard lock(mutex_);
    if (!outcome || *outcome) return std::nullopt;
    return outcome->error().code;
  }

  std::string answer;
  int starts = 0;
  int tokens = 0;
  int steps = 0;
  int dones = 0;
  std::optional<Result<Completion>> outcome;

 private:
  template <class Change>
  void note(Change change) {
    {
      std::lock_guard lock(mutex_);
      change();
    }
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
};

// A whole answer: two tokens, "Hello".
inline bool say(Peer& peer, const std::string&, int) {
  return peer.begin_stream() && peer.token("Hel") && peer.token("lo") && peer.done();
}

// Takes the request and says nothing more.
inline bool hang(Peer& peer, const std::string&, int) {
  peer.wait_for_close();
  return false;
}

class RemoteFixture : public ::testing::Test {
 protected:
  RemoteFixture() {
    options_.connect_timeout = std::chrono::seconds(2);
    options_.first_token_timeout = std::chrono::seconds(10);
    options_.idle_timeout = std::chrono::seconds(10);
    options_.check_interval = std::chrono::milliseconds(50);
    options_.return_interval = std::chrono::milliseconds(20);
    options_.model = "m";
  }
  ~RemoteFixture() override {
    work_.reset();
    close();
  }
  // Another open() may follow.
  void close() {
    if (backend_) backend_->shutdown();
    context_.stop();
    if (thread_.joinable()) thread_.join();
    backend_.reset();
    context_.restart();
  }

  void host(std::uint16_t port, const std::string& base_path = "") {
    options_.hosts.push_back({.host = "127.0.0.1", .port = port, .base_path = base_path});
  }
  void host_by_name(std::uint16_t port) {
    options_.hosts.push_back({.host = "localhost", .port = port});
  }
  void open(bool openai = false) {
    backend_ =
        openai ? open_openai_backend(options_, clock_) : open_ollama_backend(options_, clock_);
    thread_ = std::thread([this] { context_.run(); });
    backend_->start({&context_});
  }

  static Request question(const std::string& text) {
    Request request;
    request.messages = {{Role::user, text}};
    return request;
  }
  std::shared_ptr<RecordingSink> ask(const std::string& text = "hello", std::stop_token stop = {}) {
    return ask(question(text), std::move(stop));
  }
  std::shared_ptr<RecordingSink> ask(Request request, std::stop_token stop = {}) {
    request.run_id = "run";
    auto sink = std::make_shared<RecordingSink>();
    const auto accepted = backend_->generate(std::move(request), sink, std::move(stop));
    EXPECT_TRUE(accepted) << accepted.error().message;
    return sink;
  }
  // Asks and waits for the end.
  std::shared_ptr<RecordingSink> answer_to(const std::string& text = "hello") {
    return answer_to(question(text));
  }
  Error refusal_of(const std::string& text) {
    const auto accepted = backend_->generate(question(text), nullptr, {});
    return accepted ? Error{} : accepted.error();
  }
  std::shared_ptr<RecordingSink> answer_to(Request request) {
    auto sink = ask(std::move(request));
    EXPECT_TRUE(sink->wait_done());
    EXPECT_EQ(sink->dones, 1);
    return sink;
  }
  bool wait_until(const std::function<bool()>& what) {
    for (int i = 0; i < 2000 && !what(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return what();
  }

  RemoteOptions options_;
  SystemClock clock_;
  boost::asio::io_context context_{1};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_{
      context_.get_executor()};
  std::thread thread_;
  std::unique_ptr<Backend> backend_;
};

}  // namespace tars::llm::testing
