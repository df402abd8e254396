// What a thread has had of the processor.
#pragma once

#include <chrono>

namespace tars {

// CPU time that the calling thread has used since it began (clock_gettime(2)).
std::chrono::nanoseconds thread_cpu_time();

}  // namespace tars
