#include "llm/llama/short_slices.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace tars::llm {
namespace {

// struct sched_attr of linux/sched/types.h, which cannot be included beside glibc's sched.h before
// glibc 2.41: the part that every kernel knows.
struct Attributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime;  // nanoseconds
  std::uint64_t deadline;
  std::uint64_t period;
};
static_assert(sizeof(Attributes) == 48);

}  // namespace

bool ask_for_short_slices(std::chrono::nanoseconds slice) {
  Attributes attributes{};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return false;
  if (attributes.policy != SCHED_OTHER) return true;  // somebody chose another way
  attributes.size = sizeof attributes;
  attributes.runtime = static_cast<std::uint64_t>(slice.count());
  return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

}  // namespace tars::llm
