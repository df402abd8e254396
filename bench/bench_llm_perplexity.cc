// Perplexity of MODEL_PATH on bench/data/perplexity.txt (or the file given): what a weights format
// costs in quality. Windows of 256 tokens, the second half of each is scored.
#include <cmath>
#include <fstream>
#include <iterator>

#include "bench_llm_support.h"

using namespace tars::bench;

namespace {

constexpr int kWindow = 256;

double log_probability(const float* logits, int vocabulary, llama_token token) {
  const double best = static_cast<double>(*std::max_element(logits, logits + vocabulary));
  double sum = 0;
  for (int i = 0; i < vocabulary; ++i) sum += std::exp(static_cast<double>(logits[i]) - best);
  return static_cast<double>(logits[token]) - best - std::log(sum);
}

}  // namespace

int main(int argc, char** argv) {
  std::ifstream file(argc > 1 ? argv[1] : "bench/data/perplexity.txt");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  llama_model* model =
      llama_model_load_from_file(model_path().c_str(), llama_model_default_params());
  if (model == nullptr || text.empty()) {
    std::fprintf(stderr, "cannot read the model or the text\n");
    return 1;
  }
  const llama_vocab* vocab = llama_model_get_vocab(model);
  std::vector<llama_token> tokens(text.size() + 8);
  tokens.resize(static_cast<std::size_t>(
      std::max(0, llama_tokenize(vocab, text.data(), static_cast<int>(text.size()), tokens.data(),
                                 static_cast<int>(tokens.size()), false, false))));
  auto params = llama_context_default_params();
  params.n_ctx = kWindow;
  llama_context* context = llama_init_from_model(model, params);
  llama_batch batch = llama_batch_init(kWindow, 0, 1);
  double sum = 0;
  int scored = 0;
  for (std::size_t at = 0; at + kWindow <= tokens.size(); at += kWindow) {
    llama_memory_clear(llama_get_memory(context), true);
    batch.n_tokens = kWindow;
    for (int i = 0; i < kWindow; ++i) {
      batch.token[i] = tokens[at + static_cast<std::size_t>(i)];
      batch.pos[i] = i;
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = 0;
      batch.logits[i] = i >= kWindow / 2 - 1 ? 1 : 0;
    }
    if (llama_decode(context, batch) != 0) return 1;
    for (int i = kWindow / 2 - 1; i + 1 < kWindow; ++i, ++scored) {
      sum += log_probability(llama_get_logits_ith(context, i), llama_vocab_n_tokens(vocab),
                             batch.token[i + 1]);
    }
  }
  std::printf("perplexity %.4f over %d tokens\n", std::exp(-sum / scored), scored);
  llama_batch_free(batch);
  llama_free(context);
  llama_model_free(model);
}
