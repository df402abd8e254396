// Tokens per second of the backend against a bare llama.cpp loop, one answer and eight at once.
#include "bench_llm_support.h"

using namespace tars::bench;

namespace {

constexpr int kTokens = 96;
constexpr int kRounds = 5;

// From the first token of the last answer to begin, to the last token of the first to end.
double served(ServedModel& model, int answers) {
  std::vector<std::shared_ptr<TimingSink>> sinks;
  for (int i = 0; i < answers; ++i) {
    sinks.push_back(
        model.ask("Tell me a long story about number " + std::to_string(i) + ".", kTokens));
  }
  Clock::time_point begin{};
  Clock::time_point end = Clock::time_point::max();
  for (auto& sink : sinks) sink->wait();
  for (auto& sink : sinks) {
    begin = std::max(begin, sink->times().front());
    end = std::min(end, sink->times().back());
  }
  int tokens = 0;
  for (auto& sink : sinks) {
    for (const auto t : sink->times()) tokens += t > begin && t <= end ? 1 : 0;
  }
  return tokens / std::chrono::duration<double>(end - begin).count();
}

}  // namespace

int main() {
  ServedModel model;
  for (const int answers : {1, 8}) {
    BareLoop bare(answers);
    std::vector<double> ours;
    std::vector<double> theirs;
    std::vector<double> ratios;
    for (int round = 0; round < kRounds; ++round) {
      theirs.push_back(bare.tokens_per_second(kTokens));
      ours.push_back(served(model, answers));
      ratios.push_back(ours.back() / theirs.back());
    }
    std::printf(
        "tokens/s, %d at once: backend %.1f, bare loop %.1f, ratio of medians %.3f, median ratio "
        "%.3f\n",
        answers, median(ours), median(theirs), median(ours) / median(theirs), median(ratios));
  }
}
