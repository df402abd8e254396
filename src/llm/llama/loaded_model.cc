#include "llm/llama/loaded_model.h"

#include <llama.h>

#include <exception>

#include "llm/llama/cpu_kernels.h"
#include "llm/llama/device_handles.h"
#include "llm/llama/llama_log.h"
#include "llm/llama/usable_memory.h"
#include "telemetry/log.h"

#ifdef __SANITIZE_THREAD__
extern "C" {
void __tsan_ignore_thread_begin();
void __tsan_ignore_thread_end();
}
#endif

namespace tars::llm {

struct LoadedModel::Parts {
  std::unique_ptr<llama_model, decltype(&llama_model_free)> model{nullptr, &llama_model_free};
  // Before the context, which uses it until it is freed.
  ThreadPool threads{nullptr, nullptr};
  std::unique_ptr<llama_context, decltype(&llama_free)> context{nullptr, &llama_free};
  std::optional<Vocabulary> vocabulary;
  Offload offload;
  std::function<bool()> keep_going;
  std::function<bool()> abort;
  llama_batch batch{};

  ~Parts() {
    if (batch.token != nullptr) llama_batch_free(batch);
  }
};

namespace {

// llama.cpp is compiled without the sanitizer, which sees its copies but not how its workers wait
// for each other: each copy would be taken for a race, and looked up among the suppressed ones.
// What this thread waits for and tells others in here is still seen.
struct UnseenByTsan {
#ifdef __SANITIZE_THREAD__
  UnseenByTsan() { __tsan_ignore_thread_begin(); }
  ~UnseenByTsan() { __tsan_ignore_thread_end(); }
#endif
};

bool progress(float /*done*/, void* keep_going) {
  return (*static_cast<std::function<bool()>*>(keep_going))();
}

bool should_abort(void* abort) {
  const auto& callback = *static_cast<std::function<bool()>*>(abort);
  return callback && callback();
}

Error load_error(const LlamaOptions& options, const std::string& why) {
  const std::string detail = last_llama_error();
  return make_error(ErrorCode::config_error, "MODEL_PATH " + options.model_path.string() + ": " +
                                                 why + (detail.empty() ? "" : " (" + detail + ")"));
}

std::string gpu_advice(const Offload& offload) {
  return offload.layers == 0 ? "" : "; or lower MODEL_GPU_LAYERS, or set it to auto";
}

llama_context_params context_params(const LlamaOptions& options, int context_length, int threads) {
  llama_context_params params = llama_context_default_params();
  const auto slots = static_cast<std::uint32_t>(options.slots);
  params.n_ctx = static_cast<std::uint32_t>(context_length) * slots;
  params.n_seq_max = slots;
  params.n_batch = LoadedModel::kBatchTokens;
  params.n_ubatch = LoadedModel::kBatchTokens;
  params.n_outputs_max = slots;
  params.n_threads = threads;
  params.n_threads_batch = threads;
  // A stream for each slot: what others keep for reuse then costs a step nothing.
  params.kv_unified = false;
  // The CPU's is patched to be the faster one (docs/decisions/0012-flash-attention.md); a device is
  // asked.
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_AUTO;
  params.swa_full = true;  // else a reused prefix may have lost its window
  params.no_perf = true;
  return params;
}

}  // namespace

LoadedModel::LoadedModel(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
LoadedModel::LoadedModel(LoadedModel&&) noexcept = default;
LoadedModel& LoadedModel::operator=(LoadedModel&&) noexcept = default;
LoadedModel::~LoadedModel() = default;

Result<LoadedModel> LoadedModel::load(const LlamaOptions& options, int context_length, int threads,
                                      std::function<bool()> keep_going) try {
  Offload offload = plan_offload(options, context_length);
  if (offload.layers == 0) warn_of_little_memory(options, context_length, usable_memory());
  while (true) {
    auto loaded = load_once(options, context_length, threads, offload, keep_going);
    // Only what was planned from a free number of layers may be too much.
    if (loaded || offload.layers == 0 || options.gpu_layers >= 0 || !keep_going()) return loaded;
    offload = with_fewer_layers(std::move(offload));
    telemetry::log(telemetry::LogLevel::warning,
                   "the model could not be loaded onto the GPU; trying with fewer layers there",
                   {{"layers", offload.layers}, {"error", loaded.error().message}});
  }
} catch (const std::exception& e) {
  return load_error(options, e.what());  // such as no memory for the list of tokens
}

Result<LoadedModel> LoadedModel::load_once(const LlamaOptions& options, int context_length,
                                           int threads, const Offload& offload,
                                           const std::function<bool()>& keep_going) {
  route_llama_log();
  if (auto kernels = load_cpu_kernels(); !kernels) {
    return load_error(options, kernels.error().message);
  }
  auto parts = std::make_unique<Parts>();
  parts->keep_going = keep_going;
  parts->offload = offload;
  if (offload.whole()) threads = 1;  // nothing to share: the GPU computes, and one thread leads it
  std::vector<ggml_backend_device*> devices;
  if (offload.layers > 0) devices = device_handles();
  devices.push_back(nullptr);  // ends the list; alone, it keeps large batches from the GPU as well
  try {
    llama_model_params params = llama_model_default_params();
    params.devices = devices.data();
    params.n_gpu_layers = offload.layers;
    // Read, not mapped: repacked weights would be resident twice, in the mapping and in their new
    // form.
    params.load_mode = LLAMA_LOAD_MODE_NONE;
    params.progress_callback = progress;
    params.progress_callback_user_data = &parts->keep_going;
    parts->model.reset(llama_model_load_from_file(options.model_path.c_str(), params));
    if (!parts->model) {
      return load_error(options, "the weights cannot be loaded" + gpu_advice(offload));
    }
    if (!llama_model_has_decoder(parts->model.get()) ||
        llama_model_has_encoder(parts->model.get())) {
      return load_error(options, "only models that decode alone are supported; give another model");
    }
    parts->context.reset(llama_init_from_model(parts->model.get(),
                                               context_params(options, context_length, threads)));
    if (!parts->context) {
      return load_error(options, "there is no memory for its context; lower MODEL_CONTEXT_LENGTH" +
                                     gpu_advice(offload));
    }
  } catch (const std::exception& e) {
    return load_error(options, e.what());
  }
  parts->threads = start_threads(threads);
  if (!parts->threads)
    return load_error(options, "its threads cannot be started; lower MODEL_THREADS");
  llama_attach_threadpool(parts->context.get(), parts->threads.get(), parts->threads.get());
  llama_set_abort_callback(parts->context.get(), should_abort, &parts->abort);
  const char* const chat_template = llama_model_chat_template(parts->model.get(), nullptr);
  parts->vocabulary.emplace(llama_model_get_vocab(parts->model.get()),
                            chat_template == nullptr ? "" : chat_template);
  parts->batch = llama_batch_init(kBatchTokens, 0, 1);
  return LoadedModel(std::move(parts));
}

const Vocabulary& LoadedModel::vocabulary() const { return *parts_->vocabulary; }

const Offload& LoadedModel::offload() const { return parts_->offload; }

DecodeOutcome LoadedModel::decode(std::span<const BatchToken> tokens, std::function<bool()> abort) {
  llama_batch& batch = parts_->batch;
  batch.n_tokens = 0;
  for (const BatchToken& token : tokens.first(std::min<std::size_t>(tokens.size(), kBatchTokens))) {
    const auto i = batch.n_tokens++;
    batch.token[i] = token.token;
    batch.pos[i] = token.position;
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = token.slot;
    batch.logits[i] = token.wants_logits ? 1 : 0;
  }
  parts_->abort = std::move(abort);
  int status = -1;
  [[maybe_unused]] const UnseenByTsan unseen;
  try {
    status = llama_decode(parts_->context.get(), batch);
  } catch (const std::exception&) {
    status = -1;  // such as bad_alloc: the caller drops the memory of the slots
  }
  parts_->abort = nullptr;
  if (status == 0) return DecodeOutcome::done;
  return status == 2 ? DecodeOutcome::aborted : DecodeOutcome::failed;
}

std::span<const float> LoadedModel::logits(std::size_t i) const {
  const float* row = llama_get_logits_ith(parts_->context.get(), static_cast<std::int32_t>(i));
  return row == nullptr ? std::span<const float>() : std::span(row, parts_->vocabulary->size());
}

bool LoadedModel::keep_prefix(std::size_t slot, std::size_t tokens) {
  llama_memory_t memory = llama_get_memory(parts_->context.get());
  const auto sequence = static_cast<llama_seq_id>(slot);
  if (llama_memory_seq_rm(memory, sequence, static_cast<llama_pos>(tokens), -1)) return true;
  llama_memory_seq_rm(memory, sequence, -1, -1);
  return tokens == 0;
}

void LoadedModel::use_threads(int threads) {
  llama_set_n_threads(parts_->context.get(), threads, threads);
}

}  // namespace tars::llm
