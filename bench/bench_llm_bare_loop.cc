// Tokens per second of a bare llama.cpp loop, printed as one number: what bench/run.py holds the
// WebSocket against.   MODEL_PATH=… bench_llm_bare_loop ANSWERS TOKENS
#include "bench_llm_support.h"

int main(int argc, char** argv) {
  const int answers = argc > 1 ? std::atoi(argv[1]) : 1;
  const int tokens = argc > 2 ? std::atoi(argv[2]) : 256;
  if (answers < 1 || answers > 64 || tokens < 1 || tokens > 900) {
    std::fprintf(stderr, "usage: bench_llm_bare_loop ANSWERS (1-64) TOKENS (1-900)\n");
    return 1;
  }
  tars::bench::BareLoop loop(answers);
  loop.tokens_per_second(16);  // warm
  std::printf("%.2f\n", loop.tokens_per_second(tokens));
}
