// What computes on the CPU: ggml's kernels and their threads.
#pragma once

#include <memory>

#include "base/error.h"

struct ggml_threadpool;

namespace tars::llm {

using ThreadPool = std::unique_ptr<ggml_threadpool, void (*)(ggml_threadpool*)>;

// Makes the kernels available. They are part of the program, but for the portable build, which has
// them as libraries beside itself, one for each generation of CPUs, and takes the best that runs
// here. Any thread, as often as wanted. The error names the folder that has none.
Result<void> load_cpu_kernels();

// Threads that sleep while there is nothing to compute; null when they cannot be started. After
// load_cpu_kernels(). Must outlive the context that it is attached to.
ThreadPool start_threads(int threads);

}  // namespace tars::llm
