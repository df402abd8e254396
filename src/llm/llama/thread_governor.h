// How many threads a step of the model should use on a machine that others use too.
#pragma once

#include <cstddef>
#include <vector>

namespace tars::llm {

// CPUs that this thread may run on (taskset, a container's cpuset, CPUAffinity= and AllowedCPUs= of
// systemd), at least 1. Not std::thread::hardware_concurrency(), which counts those of the machine.
int usable_cpus();

// Workers of one step wait for each other, so on a busy machine the slowest core decides and fewer
// threads can be faster. When steps take clearly longer than the CPU time they use for a while, it
// tries half the threads for a few steps, keeps what is faster, and later tries more again, at
// growing intervals while that does not help. Pure: times come in as arguments. For one thread.
class ThreadGovernor {
 public:
  // `most` threads, at least 1.
  explicit ThreadGovernor(int most);

  // Threads for the next step.
  int threads() const { return levels_[current_].threads; }

  // A step ran with threads(). `cost`: its time relative to other steps of its shape, whatever the
  // number of threads. `stretch`: its time divided by the CPU time of the thread that led it; 1
  // when nobody else used the core. Values that are not finite or not positive are ignored.
  void record(double cost, double stretch);

 private:
  struct Level {
    int threads = 1;
    double cost = 0;  // moving average; 0 = not known
  };
  bool choose_trial();
  void settle();

  std::vector<Level> levels_;  // from the most threads to one
  std::size_t current_ = 0;
  std::size_t home_ = 0;  // the level in use when none is being tried
  double stretch_ = 1;  // moving average
  int trial_left_ = 0;  // steps left in a trial
  int until_trial_ = 0;  // steps until the next one
  int pause_ = 0;
  bool down_next_ = false;
};

}  // namespace tars::llm
