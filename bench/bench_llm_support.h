// What the model's benchmarks share: the weights, a sink that takes times, a bare llama.cpp loop.
#pragma once

#include <ggml-cpu.h>
#include <llama.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "llm/llama/llama_backend.h"
#include "telemetry/metrics.h"

namespace tars::bench {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

[[gnu::noinline]] inline double percentile(std::vector<double> values, double p) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(p * static_cast<double>(values.size())))];
}

inline double median(std::vector<double> values) { return percentile(std::move(values), 0.5); }

// MODEL_PATH, or ends the program with one line.
inline std::string model_path() {
  const char* path = std::getenv("MODEL_PATH");
  if (path == nullptr) {
    std::fprintf(stderr, "set MODEL_PATH to a GGUF chat model\n");
    std::exit(1);
  }
  return path;
}

// When each token came and when it ended.
class TimingSink final : public llm::Sink {
 public:
  void on_start(int, int) override { note(started_); }
  void on_token(std::string_view) override {
    const std::lock_guard lock(mutex_);
    times_.push_back(Clock::now());
    changed_.notify_all();
  }
  void on_step_end() override {}
  void on_done(std::string_view, Result<llm::Completion> result) override {
    if (!result) std::fprintf(stderr, "%s\n", result.error().message.c_str());
    note(done_);
  }
  void wait_start() {
    wait([this] { return started_ != Clock::time_point{}; });
  }
  void wait_tokens(std::size_t n) {
    wait([this, n] { return times_.size() >= n || ended(); });
  }
  Clock::time_point wait() {
    wait([this] { return ended(); });
    return done_;
  }
  std::vector<Clock::time_point> times() {
    const std::lock_guard lock(mutex_);
    return times_;
  }

 private:
  bool ended() const { return done_ != Clock::time_point{}; }
  void note(Clock::time_point& at) {
    const std::lock_guard lock(mutex_);
    at = Clock::now();
    changed_.notify_all();
  }
  template <class Condition>
  void wait(Condition condition) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, condition);
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Clock::time_point> times_;
  Clock::time_point started_{};
  Clock::time_point done_{};
};

// The backend as the program runs it.
class ServedModel {
 public:
  explicit ServedModel(int context = 0) {
    llm::LlamaOptions options;
    options.model_path = model_path();
    options.context_length = context;
    auto backend = llm::open_llama_backend(options, clock_, metrics_);
    if (!backend) {
      std::fprintf(stderr, "%s\n", backend.error().message.c_str());
      std::exit(1);
    }
    backend_ = std::move(*backend);
    ask("Hi", 4)->wait();
  }

  std::shared_ptr<TimingSink> ask(std::string text, int max_tokens, std::stop_token stop = {}) {
    llm::Request request;
    request.messages = {{llm::Role::user, std::move(text)}};
    request.sampling.temperature = 0;
    request.sampling.max_tokens = max_tokens;
    auto sink = std::make_shared<TimingSink>();
    const auto accepted = backend_->generate(std::move(request), sink, std::move(stop));
    if (!accepted) {
      std::fprintf(stderr, "%s\n", accepted.error().message.c_str());
      std::exit(1);
    }
    return sink;
  }

 private:
  SystemClock clock_;
  telemetry::Metrics metrics_;
  std::unique_ptr<llm::Backend> backend_;
};

inline std::string long_text(int tokens) {
  std::string text;
  for (int i = 0; i < tokens / 9; ++i) text += "The river ran past the old mill. ";
  return text;
}

// llama.cpp without anything of ours: the weights read as the backend reads them, one context, room
// for a batch.
class BareModel {
 public:
  BareModel(llama_context_params params, int batch) {
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    auto model_params = llama_model_default_params();
    model_params.load_mode = LLAMA_LOAD_MODE_NONE;
    model_ = llama_model_load_from_file(model_path().c_str(), model_params);
    context_ = llama_init_from_model(model_, params);
    batch_ = llama_batch_init(batch, 0, 1);
  }
  BareModel(const BareModel&) = delete;
  BareModel& operator=(const BareModel&) = delete;
  ~BareModel() {
    llama_batch_free(batch_);
    llama_free(context_);
    llama_model_free(model_);
  }

 protected:
  // Puts a token into the batch.
  void add(llama_token token, int position, int sequence, bool wants_logits) {
    const int i = batch_.n_tokens++;
    batch_.token[i] = token;
    batch_.pos[i] = position;
    batch_.n_seq_id[i] = 1;
    batch_.seq_id[i][0] = sequence;
    batch_.logits[i] = wants_logits;
  }
  // Computes the batch, which is empty then.
  void decode() {
    if (llama_decode(context_, batch_) != 0) std::exit(1);
    batch_.n_tokens = 0;
  }

  llama_model* model_ = nullptr;
  llama_context* context_ = nullptr;

 private:
  llama_batch batch_{};
};

// The loop of llama.cpp's own simple example: decode, take the best token, again. All threads in a
// pool that stays (as the backend's does), no slots beyond `sequences`.
class BareLoop : private BareModel {
 public:
  explicit BareLoop(int sequences) : BareModel(params(sequences), 512), sequences_(sequences) {
    ggml_threadpool_params pool = ggml_threadpool_params_default(params(sequences).n_threads);
    pool.poll = 0;
    threads_ = ggml_threadpool_new(&pool);
    llama_attach_threadpool(context_, threads_, threads_);
  }
  ~BareLoop() {
    llama_detach_threadpool(context_);
    ggml_threadpool_free(threads_);
  }

  // Tokens per second over all sequences, after a prompt of 30 tokens each.
  [[gnu::noinline]] double tokens_per_second(int tokens) {
    llama_memory_clear(llama_get_memory(context_), true);
    std::vector<llama_token> next(static_cast<std::size_t>(sequences_), 1);
    int position = 0;
    for (; position < 30; ++position) step(next, position);
    const auto begin = Clock::now();
    for (int i = 0; i < tokens; ++i, ++position) step(next, position);
    return tokens * sequences_ / seconds_since(begin);
  }

 private:
  static llama_context_params params(int sequences) {
    auto out = llama_context_default_params();
    out.n_ctx = static_cast<std::uint32_t>(1024 * sequences);
    out.n_seq_max = static_cast<std::uint32_t>(sequences);
    out.n_threads = out.n_threads_batch = static_cast<int>(std::thread::hardware_concurrency());
    return out;
  }

  void step(std::vector<llama_token>& next, int position) {
    for (int s = 0; s < sequences_; ++s) {
      add(next[static_cast<std::size_t>(s)], position, s, true);
    }
    decode();
    const int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model_));
    for (int s = 0; s < sequences_; ++s) {
      const float* row = llama_get_logits_ith(context_, s);
      next[static_cast<std::size_t>(s)] =
          static_cast<llama_token>(std::max_element(row, row + vocabulary) - row);
    }
  }

  int sequences_;
  ggml_threadpool* threads_ = nullptr;
};

}  // namespace tars::bench
