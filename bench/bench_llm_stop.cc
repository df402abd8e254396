// From a stop request to idle, in decode and in prompt processing, against the time of one batch.
#include "bench_llm_support.h"

using namespace tars::bench;

int main() {
  ServedModel model;
  constexpr int kRounds = 60;
  std::vector<double> batch;
  std::vector<double> decode;
  std::vector<double> prefill;
  for (int round = 0; round < kRounds; ++round) {
    std::stop_source stop;
    const auto sink = model.ask("Tell me a very long story.", 2000, stop.get_token());
    sink->wait_tokens(static_cast<std::size_t>(4 + round % 5));
    const auto begin = Clock::now();
    stop.request_stop();
    decode.push_back(std::chrono::duration<double>(sink->wait() - begin).count());
    const auto times = sink->times();
    for (std::size_t i = 1; i < times.size(); ++i) {
      batch.push_back(std::chrono::duration<double>(times[i] - times[i - 1]).count());
    }

    std::stop_source prompt_stop;
    const auto prompt =
        model.ask(std::to_string(round) + " " + long_text(3000), 1, prompt_stop.get_token());
    prompt->wait_start();
    std::this_thread::sleep_for(std::chrono::milliseconds(5 + round * 3));
    const auto prompt_begin = Clock::now();
    prompt_stop.request_stop();
    prefill.push_back(std::chrono::duration<double>(prompt->wait() - prompt_begin).count());
  }
  const double one = median(batch);
  const double bound = one + 0.005;
  std::printf("one decode batch %.1f ms (median)\n", one * 1e3);
  std::printf(
      "stop to idle p99: decode %.1f ms, prompt %.1f ms; against one batch + 5 ms: ratio %.2f and "
      "%.2f\n",
      percentile(decode, 0.99) * 1e3, percentile(prefill, 0.99) * 1e3,
      percentile(decode, 0.99) / bound, percentile(prefill, 0.99) / bound);
}
