// What attention costs with and without llama.cpp's flash attention, by how full the slot is: CPU
// time on one thread, which other processes hardly disturb.   MODEL_PATH=… bench_llm_attention
#include <time.h>

#include "bench_llm_support.h"

using namespace tars::bench;

namespace {

constexpr int kContext = 4096;
constexpr int kRounds = 5;

double cpu_ms() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

class OneSlot {
 public:
  explicit OneSlot(llama_flash_attn_type flash) {
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    auto model_params = llama_model_default_params();
    model_params.load_mode = LLAMA_LOAD_MODE_NONE;
    model_ = llama_model_load_from_file(model_path().c_str(), model_params);
    auto params = llama_context_default_params();
    params.n_ctx = kContext;
    params.n_batch = params.n_ubatch = 256;
    params.n_threads = params.n_threads_batch = 1;
    params.flash_attn_type = flash;
    context_ = llama_init_from_model(model_, params);
    batch_ = llama_batch_init(256, 0, 1);
  }
  OneSlot(const OneSlot&) = delete;
  OneSlot& operator=(const OneSlot&) = delete;
  ~OneSlot() {
    llama_batch_free(batch_);
    llama_free(context_);
    llama_model_free(model_);
  }

  void fill(int position) {
    while (position_ < position) append(std::min(256, position - position_));
  }

  // CPU milliseconds of a batch of so many tokens; the slot is as full afterwards as before.
  double batch(int tokens) {
    std::vector<double> times;
    for (int round = 0; round < kRounds; ++round) {
      times.push_back(append(tokens));
      position_ -= tokens;
      llama_memory_seq_rm(llama_get_memory(context_), 0, position_, -1);
    }
    return median(times);
  }

 private:
  double append(int tokens) {
    batch_.n_tokens = tokens;
    for (int i = 0; i < tokens; ++i, ++position_) {
      batch_.token[i] = 100 + position_ % 1000;
      batch_.pos[i] = position_;
      batch_.n_seq_id[i] = 1;
      batch_.seq_id[i][0] = 0;
      batch_.logits[i] = i + 1 == tokens;
    }
    const double begin = cpu_ms();
    if (llama_decode(context_, batch_) != 0) std::exit(1);
    return cpu_ms() - begin;
  }

  llama_model* model_ = nullptr;
  llama_context* context_ = nullptr;
  llama_batch batch_{};
  int position_ = 0;
};

}  // namespace

int main() {
  OneSlot flash(LLAMA_FLASH_ATTN_TYPE_ENABLED);
  OneSlot plain(LLAMA_FLASH_ATTN_TYPE_DISABLED);
  std::printf("CPU ms of a batch: flash, plain, plain / flash\n");
  for (const int full : {128, 1024, 2048, 3584}) {
    flash.fill(full);
    plain.fill(full);
    for (const int tokens : {1, 8, 64, 256}) {
      const double with = flash.batch(tokens);
      const double without = plain.batch(tokens);
      std::printf("slot %4d, batch %3d: %8.1f %8.1f %6.2f\n", full, tokens, with, without,
                  without / with);
    }
  }
}
