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

class OneSlot : private BareModel {
 public:
  explicit OneSlot(llama_flash_attn_type flash) : BareModel(params(flash), 256) {}

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
  static llama_context_params params(llama_flash_attn_type flash) {
    auto out = llama_context_default_params();
    out.n_ctx = kContext;
    out.n_batch = out.n_ubatch = 256;
    out.n_threads = out.n_threads_batch = 1;
    out.flash_attn_type = flash;
    return out;
  }

  double append(int tokens) {
    for (int i = 1; i <= tokens; ++i, ++position_) {
      add(100 + position_ % 1000, position_, 0, i == tokens);
    }
    const double begin = cpu_ms();
    decode();
    return cpu_ms() - begin;
  }

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
