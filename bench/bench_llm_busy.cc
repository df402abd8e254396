// Tokens per second with a busy process on every core, against the idle machine.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_llm_support.h"

using namespace tars::bench;

namespace {

class Hogs {
 public:
  Hogs() {
    for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) {
      const pid_t pid = fork();
      if (pid == 0) {
        for (volatile unsigned spin = 0;;) spin = spin + 1;
      }
      pids_.push_back(pid);
    }
  }
  Hogs(const Hogs&) = delete;
  Hogs& operator=(const Hogs&) = delete;
  ~Hogs() {
    for (const pid_t pid : pids_) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
  }

 private:
  std::vector<pid_t> pids_;
};

double tokens_per_second(ServedModel& model, int tokens) {
  const auto sink = model.ask("Tell me a very long story.", tokens);
  sink->wait();
  const auto times = sink->times();
  return static_cast<double>(times.size() - 1) /
         std::chrono::duration<double>(times.back() - times.front()).count();
}

}  // namespace

int main() {
  ServedModel model;
  std::vector<double> ratios;
  for (int round = 0; round < 5; ++round) {
    tokens_per_second(model, 60);  // the threads adapt to the idle machine
    const double idle = tokens_per_second(model, 160);
    double busy = 0;
    {
      const Hogs hogs;
      busy = tokens_per_second(model, 160);
    }
    std::printf("round %d: idle %.1f tokens/s, busy %.1f\n", round, idle, busy);
    ratios.push_back(busy / idle);
  }
  std::printf("tokens/s with a busy process on every core / idle, median ratio %.2f\n",
              median(ratios));
}
