#include "app/process_limits.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <initializer_list>

namespace tars::app {
namespace {

constexpr int kArenas = 2;

extern "C" void end_process(int signal) { ::_exit(128 + signal); }

}  // namespace

void end_by_signals_as_init() {
  if (::getpid() != 1) return;
  for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, &end_process);
}

void prepare_process() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    // Refused: the server runs with what it has, and accepting pauses when that is used up.
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is then a failed write, like a full disk
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGUSR1, SIG_IGN);
  ::mallopt(M_ARENA_MAX, kArenas);
}

}  // namespace tars::app
