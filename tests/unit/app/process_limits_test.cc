#include "app/process_limits.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

namespace tars::app {
namespace {

TEST(ProcessLimits, DescriptorsAreRaisedToTheHardLimit) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit lowered{std::min<rlim_t>(128, limit.rlim_max), limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
  prepare_process();
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(limit.rlim_cur, limit.rlim_max);
}

TEST(ProcessLimits, ABrokenPipeAndAHangUpEndNothing) {
  prepare_process();
  EXPECT_EQ(std::raise(SIGPIPE), 0);
  EXPECT_EQ(std::raise(SIGHUP), 0);
  EXPECT_EQ(std::raise(SIGUSR1), 0);
}

}  // namespace
}  // namespace tars::app
