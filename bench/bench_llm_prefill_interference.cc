// Inter-token p95 of four running answers while a 4,000-token prompt is processed, against without.
#include "bench_llm_support.h"

using namespace tars::bench;

namespace {

std::vector<double> gaps(const std::vector<std::shared_ptr<TimingSink>>& sinks,
                         Clock::time_point from, Clock::time_point to) {
  std::vector<double> result;
  for (const auto& sink : sinks) {
    const auto times = sink->times();
    for (std::size_t i = 1; i < times.size(); ++i) {
      if (times[i - 1] >= from && times[i] <= to) {
        result.push_back(std::chrono::duration<double>(times[i] - times[i - 1]).count());
      }
    }
  }
  return result;
}

}  // namespace

int main() {
  ServedModel model(8192);
  std::vector<double> ratios;
  for (int round = 0; round < 5; ++round) {
    std::stop_source stop;
    std::vector<std::shared_ptr<TimingSink>> running;
    for (int i = 0; i < 4; ++i) {
      running.push_back(model.ask("Write a very long story, part " + std::to_string(i) + ".", 4000,
                                  stop.get_token()));
    }
    for (auto& sink : running) sink->wait_tokens(4);
    const auto begin = Clock::now();
    for (auto& sink : running) sink->wait_tokens(54);
    const auto quiet_end = Clock::now();
    const auto prompt = model.ask(std::to_string(round) + " " + long_text(4000), 1);
    prompt->wait_start();
    const auto busy_begin = Clock::now();
    prompt->wait();
    const auto busy_end = Clock::now();
    stop.request_stop();
    for (auto& sink : running) sink->wait();
    const double quiet = percentile(gaps(running, begin, quiet_end), 0.95);
    const double busy = percentile(gaps(running, busy_begin, busy_end), 0.95);
    std::printf("round %d: p95 %.1f ms alone, %.1f ms with the prompt (%.1f s)\n", round,
                quiet * 1e3, busy * 1e3,
                std::chrono::duration<double>(busy_end - busy_begin).count());
    if (quiet > 0 && busy > 0) ratios.push_back(busy / quiet);
  }
  std::printf("inter-token p95 with a 4,000-token prompt / without, median ratio %.2f\n",
              median(ratios));
}
