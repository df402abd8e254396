// How the kernel schedules the model's threads beside other programs.
#pragma once

#include <chrono>

namespace tars::llm {

// Asks for short time slices for the calling thread and the threads it starts from now on. Its
// share of a core stays what it is, but it comes in smaller pieces and sooner after a wake-up:
// workers that wait for each other many times a step lose less to a busy program on the same core.
// Needs Linux 6.12 (EEVDF, sched_setattr(2) with sched_runtime); false where that is not to be had.
bool ask_for_short_slices(std::chrono::nanoseconds slice = std::chrono::microseconds(100));

}  // namespace tars::llm
