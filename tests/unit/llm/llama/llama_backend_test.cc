#include "llm/llama/llama_backend.h"

#include <atomic>
#include <future>
#include <stdexcept>

#include "test_model.h"

namespace tars::llm {
namespace {

class DoneSink final : public Sink {
 public:
  void on_start(int, int) override {}
  void on_token(std::string_view) override {}
  void on_step_end() override {}
  void on_done(std::string_view, Result<Completion> result) override {
    done_.set_value(std::move(result));
  }
  Result<Completion> wait() { return done_.get_future().get(); }

 private:
  std::promise<Result<Completion>> done_;
};

class LlamaBackendTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.model_path = test_model();
    ASSERT_FALSE(options_.model_path.empty());
    options_.slots = 1;
    options_.threads = 1;
    options_.context_length = 256;
  }

  Result<std::unique_ptr<Backend>> open() { return open_llama_backend(options_, clock_, metrics_); }
  // What the options are refused with.
  std::string refusal() {
    const auto backend = open();
    if (backend) return {};
    EXPECT_EQ(backend.error().code, ErrorCode::config_error);
    return backend.error().message;
  }

  static Request request(std::string content) {
    Request r;
    r.messages = {{Role::user, std::move(content)}};
    r.sampling.temperature = 0;
    r.sampling.max_tokens = 4;
    return r;
  }

  LlamaOptions options_;
  SystemClock clock_;
  telemetry::Metrics metrics_;
};

// Asks for the backend's health when it is answered.
class HealthSink final : public Sink {
 public:
  explicit HealthSink(const Backend& backend) : backend_(backend) {}
  void on_start(int, int) override {}
  void on_token(std::string_view) override {}
  void on_step_end() override {}
  void on_done(std::string_view, Result<Completion> result) override {
    EXPECT_TRUE(result && result->reason == FinishReason::cancelled);
    health.set_value(backend_.status().health);
  }
  std::promise<Health> health;

 private:
  const Backend& backend_;
};

TEST_F(LlamaBackendTest, AStopWhileTheModelLoadsIsAnsweredBeforeItHas) {
  Health health = Health::healthy;
  // Loading takes tenths of a second, which this thread may miss on a busy machine.
  for (int i = 0; i < 10 && health != Health::starting; ++i) {
    auto backend = open();
    ASSERT_TRUE(backend) << backend.error().message;
    const auto sink = std::make_shared<HealthSink>(**backend);
    std::stop_source stop;
    ASSERT_TRUE((*backend)->generate(request("Hello"), sink, stop.get_token()));
    stop.request_stop();
    health = sink->health.get_future().get();
  }
  EXPECT_EQ(health, Health::starting);
}

TEST_F(LlamaBackendTest, NamesTheOptionThatIsWrong) {
  options_.context_length = 32;
  EXPECT_NE(refusal().find("MODEL_CONTEXT_LENGTH"), std::string::npos);
  options_.context_length = 1 << 30;
  EXPECT_NE(refusal().find("MODEL_CONTEXT_LENGTH"), std::string::npos);
  options_.context_length = 256;
  options_.slots = 0;
  EXPECT_NE(refusal().find("slots"), std::string::npos);
  options_.slots = 1;
  options_.model_path = "/nonexistent/weights.gguf";
  EXPECT_NE(refusal().find("MODEL_PATH"), std::string::npos);
}

TEST_F(LlamaBackendTest, AcceptsWhileItStarts) {
  auto backend = open();
  ASSERT_TRUE(backend) << backend.error().message;
  const auto sink = std::make_shared<DoneSink>();
  ASSERT_TRUE((*backend)->generate(request("Hi"), sink, {}));
  const auto result = sink->wait();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_GT(result->prompt_tokens, 0);
  EXPECT_FALSE((*backend)->is_loading({}));
  const Status status = (*backend)->status();
  EXPECT_EQ(status.health, Health::healthy);
  EXPECT_EQ(status.model, options_.model_path.stem().string());
  EXPECT_EQ(status.context_length, 256);
  EXPECT_EQ(status.slots, 1);
}

TEST_F(LlamaBackendTest, RefusesWhatItCannotAnswer) {
  options_.model_name = "small";
  auto backend = open();
  ASSERT_TRUE(backend) << backend.error().message;
  const auto refused = [&](Request r) {
    const auto accepted = (*backend)->generate(std::move(r), std::make_shared<DoneSink>(), {});
    return accepted ? std::nullopt : std::optional(accepted.error().code);
  };
  Request other = request("Hi");
  other.model = "large";
  EXPECT_EQ(refused(other), ErrorCode::model_not_found);
  EXPECT_EQ(refused(Request{}), ErrorCode::invalid_message);

  const auto first = std::make_shared<DoneSink>();
  ASSERT_TRUE((*backend)->generate(request("Hi"), first, {}));
  ASSERT_TRUE(first->wait());  // the tokenizer is there now
  std::string long_text;
  for (int i = 0; i < 400; ++i) long_text += "mill ";
  EXPECT_EQ(refused(request(long_text)), ErrorCode::context_overflow);
}

// Fails where any part of a step may.
class FailingSink final : public Sink {
 public:
  explicit FailingSink(bool at_start) : at_start_(at_start) {}
  void on_start(int, int) override {
    if (at_start_) throw std::runtime_error("no memory");
  }
  void on_token(std::string_view) override { throw std::runtime_error("no memory"); }
  void on_step_end() override {}
  void on_done(std::string_view, Result<Completion> result) override {
    done.set_value(std::move(result));
  }
  std::promise<Result<Completion>> done;

 private:
  const bool at_start_;
};

TEST_F(LlamaBackendTest, AStepThatFailsCostsItsAnswersAlone) {
  const auto backend = open().value();
  for (const bool at_start : {true, false}) {
    const auto failing = std::make_shared<FailingSink>(at_start);
    ASSERT_TRUE(backend->generate(request("Hi"), failing, {}));
    const auto failed = failing->done.get_future().get();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::generation_error);
  }
  const auto next = std::make_shared<DoneSink>();
  ASSERT_TRUE(backend->generate(request("Hi"), next, {}));
  EXPECT_TRUE(next->wait());
}

// A minute passes while a batch is computed. What the health is then, and when the batch has got
// on, is asked on the model's thread, in the batch, where nothing else happens meanwhile.
class MinuteInABatch final : public Clock, public Sink {
 public:
  WallTime wall() const override { return clock_.wall(); }
  SteadyTime steady() const override {
    if (!in_batch_) return clock_.steady() + passed_.load();
    // Past the times that are taken before and after each batch.
    constexpr int kSurelyWithin = 10;
    ++asked_;
    if (asked_ == kSurelyWithin || asked_ == kSurelyWithin + 1) {
      in_batch_ = false;  // status() asks for the time
      if (asked_ == kSurelyWithin) passed_ = std::chrono::minutes(1);
      (asked_ == kSurelyWithin ? before : after) = backend->status().stalled;
      in_batch_ = true;
    }
    return clock_.steady() + passed_.load();
  }

  void on_start(int, int) override { in_batch_ = true; }
  void on_token(std::string_view) override { in_batch_ = false; }
  void on_step_end() override {}
  void on_done(std::string_view, Result<Completion>) override { done.set_value(); }

  Backend* backend = nullptr;
  mutable std::chrono::milliseconds before{0};
  mutable std::chrono::milliseconds after = std::chrono::milliseconds::max();
  std::promise<void> done;

 private:
  const SystemClock clock_;
  mutable std::atomic<bool> in_batch_ = false;
  mutable std::atomic<SteadyTime::duration> passed_ = SteadyTime::duration::zero();
  mutable int asked_ = 0;
};

TEST_F(LlamaBackendTest, ABatchThatGetsOnIsNoHang) {
  const auto minute = std::make_shared<MinuteInABatch>();
  const auto backend = open_llama_backend(options_, *minute, metrics_).value();
  minute->backend = backend.get();
  ASSERT_TRUE(backend->generate(request("Hi"), minute, {}));
  minute->done.get_future().wait();
  EXPECT_GE(minute->before, std::chrono::minutes(1));
  EXPECT_LT(minute->after, std::chrono::minutes(1));
  backend->shutdown();
}

TEST_F(LlamaBackendTest, RefusesMoreThanTheQueueHolds) {
  options_.queue_size = 1;
  auto backend = open();
  ASSERT_TRUE(backend) << backend.error().message;
  std::vector<std::shared_ptr<DoneSink>> sinks;
  std::optional<Error> refused;
  for (int i = 0; i < 200 && !refused; ++i) {
    auto sink = std::make_shared<DoneSink>();
    const auto accepted = (*backend)->generate(request("Hi"), sink, {});
    if (accepted) {
      sinks.push_back(std::move(sink));
    } else {
      refused = accepted.error();
    }
  }
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, ErrorCode::overloaded);
  (*backend)->shutdown();
  for (const auto& sink : sinks) EXPECT_TRUE(sink->wait());  // answered or cancelled
}

TEST_F(LlamaBackendTest, ShutdownMayBeRepeated) {
  auto backend = open();
  ASSERT_TRUE(backend) << backend.error().message;
  (*backend)->shutdown();
  (*backend)->shutdown();
  const auto late = (*backend)->generate(request("Hi"), std::make_shared<DoneSink>(), {});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::backend_unavailable);
}

}  // namespace
}  // namespace tars::llm
