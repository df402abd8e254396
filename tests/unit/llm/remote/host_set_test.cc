#include "llm/remote/host_set.h"

#include <gtest/gtest.h>

namespace tars::llm {
namespace {

std::vector<net::Endpoint> hosts(std::size_t n) {
  std::vector<net::Endpoint> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back({.host = "h" + std::to_string(i)});
  return out;
}

TEST(HostSet, TheLeastBusyIsNextTheFirstOfSeveral) {
  HostSet set(hosts(3));
  EXPECT_EQ(set.acquire({}), 0U);
  EXPECT_EQ(set.acquire({}), 1U);
  EXPECT_EQ(set.acquire({}), 2U);
  EXPECT_EQ(set.acquire({}), 0U);
  set.release(1);
  EXPECT_EQ(set.acquire({}), 1U);
  EXPECT_EQ(set.busy(), (std::vector<std::size_t>{2, 1, 1}));
}

TEST(HostSet, AFailedHostIsAskedOnlyWhenNoOtherIsLeftAndComesBack) {
  HostSet set(hosts(2));
  EXPECT_TRUE(set.set_failed(0, "refused", {}));
  EXPECT_FALSE(set.set_failed(0, "refused", {}));
  EXPECT_EQ(set.acquire({}), 1U);
  EXPECT_EQ(set.acquire({}), 1U);
  EXPECT_EQ(set.acquire({1}), 0U);
  EXPECT_EQ(set.acquire({1, 0}), std::nullopt);
  EXPECT_TRUE(set.set_working(0));
  set.release(0);
  EXPECT_EQ(set.acquire({}), 0U);
}

TEST(HostSet, HealthIsThatOfTheBest) {
  HostSet set(hosts(2));
  EXPECT_EQ(set.health(), Health::starting);
  set.set_failed(0, "h0: refused", {});
  EXPECT_EQ(set.health(), Health::unhealthy);
  EXPECT_EQ(set.trouble(), "h0: refused");
  set.set_working(1, {"m"}, {});
  EXPECT_EQ(set.health(), Health::healthy);
  EXPECT_EQ(set.models(), std::vector<std::string>{"m"});
  set.set_failed(1, "h1: gone", {});
  EXPECT_EQ(set.trouble(), "h0: refused; h1: gone");
  EXPECT_TRUE(set.models().empty());
}

TEST(HostSet, ASuspectIsCheckedSoon) {
  HostSet set(hosts(1));
  const SteadyTime now{std::chrono::hours{5}};
  set.set_working(0, {}, now);
  EXPECT_EQ(set.checked_at(0), now);
  set.suspect(0);
  EXPECT_EQ(set.checked_at(0), SteadyTime{});
  EXPECT_FALSE(set.is_failed(0));
}

}  // namespace
}  // namespace tars::llm
