#include "llm/llama/llama_backend.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "llm/llama/batch_loop.h"
#include "llm/llama/chat_template.h"
#include "llm/llama/gguf_check.h"
#include "llm/llama/loaded_model.h"
#include "llm/llama/short_slices.h"
#include "llm/llama/thread_governor.h"
#include "telemetry/log.h"

namespace tars::llm {
namespace {

constexpr int kUsualContext = 4096;
constexpr int kMostAutoThreads = 16;
constexpr int kMostSlots = 64;

using GenerationPtr = std::unique_ptr<Generation>;

class LlamaBackend final : public Backend {
 public:
  LlamaBackend(LlamaOptions options, ChatTemplate chat, int context_length, int threads,
               const Clock& clock, telemetry::Metrics& metrics,
               std::function<void(const Error&)> on_fatal)
      : options_(std::move(options)),
        chat_(std::move(chat)),
        context_length_(context_length),
        threads_(threads),
        clock_(clock),
        metrics_(metrics),
        on_fatal_(std::move(on_fatal)) {
    status_.model = options_.model_name;
    status_.context_length = context_length_;
    status_.slots = options_.slots;
    status_.detail = "the model is loading";
    progress_ = clock_.steady();
    thread_ = std::thread([this] { run(); });
  }

  ~LlamaBackend() override { shutdown(); }

  Status status() const override;
  // Without the model thread's mutex: asked for every run that waits.
  int slots(const std::string& /*lane*/) const override { return options_.slots; }
  int context_length(const std::string& /*lane*/) const override { return context_length_; }
  bool pauses(const std::string& /*lane*/) const override { return true; }
  bool is_loading(const std::string& /*lane*/) const override { return loading_; }
  Result<void> generate(Request request, std::shared_ptr<Sink> sink, std::stop_token stop) override;
  void shutdown() override;

 private:
  void run();
  bool load();
  void serve();
  bool wait_for_work(BatchLoop& loop);
  bool start_waiting(BatchLoop& loop);
  GenerationPtr take_waiting(BatchLoop& loop);
  void end_stopped();
  void end_waiting(bool only_stopped, const Result<Completion>& result);
  Result<void> fit(Generation& generation, const Vocabulary& vocabulary) const;
  Result<void> try_fit(Generation& generation) const;
  Result<void> enqueue(GenerationPtr generation);
  void note_progress(const BatchLoop& loop);
  bool closing() const { return closing_.load(std::memory_order_relaxed); }

  const LlamaOptions options_;
  const ChatTemplate chat_;
  const int context_length_;
  const int threads_;
  const Clock& clock_;
  telemetry::Metrics& metrics_;
  const std::function<void(const Error&)> on_fatal_;

  std::optional<LoadedModel> model_;                      // the model's thread
  std::atomic<const Vocabulary*> vocabulary_{nullptr};    // set once the model is loaded
  std::atomic<bool> closing_{false};
  std::atomic<bool> loading_{true};

  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::deque<GenerationPtr> waiting_;  // under mutex_; longest first, with the paused
  std::size_t paused_ = 0;             // under mutex_: how many of them
  bool stop_seen_ = false;             // under mutex_: somebody who waits may have been stopped
  Status status_;                      // under mutex_
  std::atomic<SteadyTime> progress_{};

  std::mutex join_mutex_;
  std::thread thread_;  // under join_mutex_ after construction
};

Status LlamaBackend::status() const {
  const std::lock_guard lock(mutex_);
  Status status = status_;
  const bool work = status_.running > 0 || !waiting_.empty();
  if (status.health == Health::healthy && work) {
    const SteadyTime progress = progress_;  // before the clock is read, which it must not be past
    status.stalled =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - progress);
  }
  return status;
}

Result<void> LlamaBackend::generate(Request request, std::shared_ptr<Sink> sink,
                                    std::stop_token stop) {
  if (!request.model.empty() && request.model != options_.model_name) {
    return make_error(ErrorCode::model_not_found, "the model '" + request.model +
                                                      "' is not served; this server has '" +
                                                      options_.model_name + "'");
  }
  if (request.messages.empty())
    return make_error(ErrorCode::invalid_message, "there is no message to answer");
  auto generation =
      std::make_unique<Generation>(std::move(request), std::move(sink), std::move(stop));
  if (const Vocabulary* vocabulary = vocabulary_.load(std::memory_order_acquire)) {
    if (auto fitted = fit(*generation, *vocabulary); !fitted) return fitted;
  }
  return enqueue(std::move(generation));
}

Result<void> LlamaBackend::fit(Generation& g, const Vocabulary& vocabulary) const {
  bool begins_with_thoughts = false;
  const auto tokenize = [&](std::span<const Message> messages) -> Result<std::vector<TokenId>> {
    auto parts = chat_.render(messages);
    if (!parts) return parts.error();
    begins_with_thoughts = !parts->empty() && !parts->back().from_message &&
                           opens_thoughts(vocabulary.thought_marks(), parts->back().text);
    return vocabulary.tokenize(*parts);
  };
  auto prompt =
      fit_prompt(g.request.messages, g.request.sampling.max_tokens, context_length_, tokenize);
  if (!prompt) return prompt.error();
  g.prompt = std::move(prompt->tokens);
  g.max_tokens = prompt->max_tokens;
  g.text.set_thoughts(vocabulary.thought_marks(), begins_with_thoughts);
  return {};
}

// For one that was accepted, and whose sink waits for its end whatever happens.
Result<void> LlamaBackend::try_fit(Generation& g) const {
  try {
    return fit(g, model_->vocabulary());
  } catch (const std::exception& fault) {
    telemetry::log(telemetry::LogLevel::error, "a prompt could not be prepared",
                   {{"what", fault.what()}});
    return make_error(ErrorCode::generation_error, "the model failed; try again");
  }
}

Result<void> LlamaBackend::enqueue(GenerationPtr generation) {
  Generation* const g = generation.get();
  {
    const std::lock_guard lock(mutex_);
    if (closing() || status_.health == Health::unhealthy) {
      return make_error(ErrorCode::backend_unavailable, closing()
                                                            ? "the server is shutting down"
                                                            : "the model could not be loaded");
    }
    if (waiting_.size() - paused_ >=
        options_.queue_size + static_cast<std::size_t>(options_.slots)) {
      return Error{ErrorCode::overloaded,
                   "too many answers are waiting; try again soon",
                   {},
                   std::chrono::seconds(2)};
    }
    // Nothing of this must run under the lock: a stop that was requested already calls back at
    // once.
    if (waiting_.empty() && status_.running == 0) progress_ = clock_.steady();
  }
  g->on_stop.emplace(g->stop, std::function<void()>([this, g] {
                       g->stopped_at = clock_.steady().time_since_epoch().count();
                       {
                         const std::lock_guard lock(mutex_);
                         stop_seen_ = true;
                       }
                       work_.notify_one();
                     }));
  {
    const std::lock_guard lock(mutex_);
    if (!closing() && status_.health != Health::unhealthy) {
      // A stop may have come before it could be found here.
      stop_seen_ = stop_seen_ || generation->stopped();
      waiting_.push_back(std::move(generation));
      work_.notify_one();
    }
  }
  if (!generation) return {};
  return make_error(ErrorCode::backend_unavailable, "the server is shutting down");
}

void LlamaBackend::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  work_.notify_all();
  const std::lock_guard lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

void LlamaBackend::run() {
  // The name is shown by top and ps, and the threads that this one starts for the model inherit it.
  pthread_setname_np(pthread_self(), "model");
  ask_for_short_slices();
  const bool loaded = load();
  loading_ = false;
  if (loaded) serve();
  const bool cancelled = closing();
  end_waiting(false, cancelled ? Result<Completion>(Completion{.reason = FinishReason::cancelled})
                               : Result<Completion>(make_error(ErrorCode::backend_unavailable,
                                                               "the model could not be loaded")));
  vocabulary_ = nullptr;
}

bool LlamaBackend::load() {
  const SteadyTime begin = clock_.steady();
  auto model = LoadedModel::load(options_, context_length_, threads_, [this] {
    end_stopped();
    return !closing();
  });
  if (!model) {
    if (closing()) return false;
    {
      const std::lock_guard lock(mutex_);
      status_.health = Health::unhealthy;
      status_.detail = model.error().message;
    }
    if (on_fatal_) on_fatal_(model.error());
    return false;
  }
  model_.emplace(std::move(*model));
  vocabulary_.store(&model_->vocabulary(), std::memory_order_release);
  const Offload& offload = model_->offload();
  std::string device = describe(offload.devices);
  metrics_.model_gpu_layers.Set(offload.layers);
  telemetry::log(telemetry::LogLevel::info, "model loaded",
                 {{"model", options_.model_name},
                  {"context_length", context_length_},
                  {"threads", threads_},
                  {"device", device.empty() ? "CPU" : device},
                  {"gpu_layers", offload.layers},
                  {"model_layers", offload.of},
                  {"seconds", std::chrono::duration<double>(clock_.steady() - begin).count()}});
  const std::lock_guard lock(mutex_);
  status_.health = Health::healthy;
  status_.detail.clear();
  status_.device = std::move(device);
  status_.gpu_layers = offload.layers;
  status_.model_layers = offload.of;
  progress_ = clock_.steady();
  return true;
}

void LlamaBackend::serve() {
  // To be asked during a batch is progress: a large one takes minutes on a slow CPU.
  BatchLoop loop(*model_, static_cast<std::size_t>(options_.slots), threads_, clock_, metrics_,
                 [this] {
                   progress_.store(clock_.steady(), std::memory_order_relaxed);
                   return closing();
                 });
  while (wait_for_work(loop)) {
    // A fault costs the answers under way, whose state nobody knows any more, and not the process.
    try {
      const bool any = start_waiting(loop);
      if (any) note_progress(loop);  // a step that hangs is to be seen
      const std::size_t ended = loop.step();
      if (any || ended > 0 || loop.running() > 0) note_progress(loop);
    } catch (const std::exception& fault) {
      telemetry::log(telemetry::LogLevel::error, "a step of the model failed",
                     {{"what", fault.what()}});
      loop.end_all(make_error(ErrorCode::generation_error, "the model failed; try again"));
      note_progress(loop);
    }
  }
  loop.end_all(Completion{.reason = FinishReason::cancelled});
}

// False when it is time to end.
bool LlamaBackend::wait_for_work(BatchLoop& loop) {
  if (loop.running() == 0) {
    std::unique_lock lock(mutex_);
    work_.wait(lock, [this] { return closing() || !waiting_.empty(); });
  }
  if (closing()) return false;
  end_stopped();
  return true;
}

// Answers those of the waiting that were stopped.
void LlamaBackend::end_stopped() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(stop_seen_, false)) return;
  }
  end_waiting(true, Completion{.reason = FinishReason::cancelled});
}

bool LlamaBackend::start_waiting(BatchLoop& loop) {
  bool any = false;
  while (GenerationPtr next = take_waiting(loop)) {
    any = true;
    if (next->stopped()) {
      BatchLoop::end_waiting(*next, Completion{.reason = FinishReason::cancelled}, clock_,
                             metrics_);
      continue;
    }
    if (next->prompt.empty()) {
      if (auto fitted = try_fit(*next); !fitted) {
        BatchLoop::end_waiting(*next, fitted.error(), clock_, metrics_);
        continue;
      }
    }
    loop.start(std::move(next));
  }
  return any;
}

// Whose turn it is, with room for it unless it was stopped; null when nobody's.
GenerationPtr LlamaBackend::take_waiting(BatchLoop& loop) {
  std::unique_lock lock(mutex_);
  if (waiting_.empty()) return nullptr;
  const std::vector<SlotHolder> holders = loop.holders();
  std::vector<SlotWaiter> waiters;
  waiters.reserve(waiting_.size());
  for (const auto& g : waiting_) waiters.push_back({g->request.client, g->begun != 0});
  const auto next = next_for_a_slot(waiters, holders);
  if (!next) return nullptr;
  const auto take = [&] {
    const auto at = waiting_.begin() + static_cast<std::ptrdiff_t>(*next);
    GenerationPtr taken = std::move(*at);
    waiting_.erase(at);
    if (waiters[*next].paused) --paused_;
    return taken;
  };
  // One that was stopped needs no slot.
  if (loop.has_room() || waiting_[*next]->stopped()) return take();
  const auto leaves = to_pause_for(waiters[*next].client, holders);
  if (!leaves) return nullptr;
  lock.unlock();  // a sink is told, and those who come meanwhile come last
  GenerationPtr paused = loop.pause(*leaves);
  lock.lock();
  // A stop may have come before it could be found here.
  stop_seen_ = stop_seen_ || paused->stopped();
  waiting_.push_back(std::move(paused));
  ++paused_;
  return take();
}

// Answers those who wait, without holding the lock while sinks run.
void LlamaBackend::end_waiting(bool only_stopped, const Result<Completion>& result) {
  std::deque<GenerationPtr> ended;
  {
    const std::lock_guard lock(mutex_);
    std::deque<GenerationPtr> kept;
    for (auto& g : waiting_) (only_stopped && !g->stopped() ? kept : ended).push_back(std::move(g));
    waiting_.swap(kept);
    paused_ = static_cast<std::size_t>(
        std::ranges::count_if(waiting_, [](const auto& g) { return g->begun != 0; }));
    if (!only_stopped) status_.running = 0;
  }
  for (auto& g : ended) BatchLoop::end_waiting(*g, result, clock_, metrics_);
}

void LlamaBackend::note_progress(const BatchLoop& loop) {
  const std::lock_guard lock(mutex_);
  status_.running = static_cast<int>(loop.running());
  progress_ = clock_.steady();
}

Result<int> choose_context(const LlamaOptions& options, int trained) {
  if (options.context_length == 0) return std::min(kUsualContext, trained);
  if (options.context_length > trained) {
    return make_error(ErrorCode::config_error,
                      "MODEL_CONTEXT_LENGTH " + std::to_string(options.context_length) +
                          ": the model allows " + std::to_string(trained) + " tokens; lower it");
  }
  if (options.context_length < 64) {
    return make_error(ErrorCode::config_error, "MODEL_CONTEXT_LENGTH must be at least 64 tokens");
  }
  return options.context_length;
}

}  // namespace

Result<std::unique_ptr<Backend>> open_llama_backend(LlamaOptions options, const Clock& clock,
                                                    telemetry::Metrics& metrics,
                                                    std::function<void(const Error&)> on_fatal) {
  auto file = check_model_file(options.model_path);
  if (!file) return file.error();
  auto chat = ChatTemplate::parse(file->chat_template, file->bos_token, file->eos_token);
  if (!chat) {
    return make_error(ErrorCode::config_error, "MODEL_PATH " + options.model_path.string() + ": " +
                                                   chat.error().message + "; give another model");
  }
  const auto context_length = choose_context(options, file->trained_context);
  if (!context_length) return context_length.error();
  if (options.slots < 1 || options.slots > kMostSlots) {
    return make_error(ErrorCode::config_error,
                      "the model needs 1 to " + std::to_string(kMostSlots) + " slots");
  }
  if (options.model_name.empty()) options.model_name = options.model_path.stem().string();
  const int threads =
      options.threads > 0 ? options.threads : std::min(usable_cpus(), kMostAutoThreads);
  return std::unique_ptr<Backend>(
      std::make_unique<LlamaBackend>(std::move(options), std::move(*chat), *context_length, threads,
                                     clock, metrics, std::move(on_fatal)));
}

}  // namespace tars::llm
