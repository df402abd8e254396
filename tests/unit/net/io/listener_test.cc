#include "net/io/listener.h"

#include <gtest/gtest.h>

#include <sys/resource.h>

namespace tars::net {
namespace {

TEST(Listener, ResolvesAddressesAndNames) {
  EXPECT_EQ(resolve_listen_address("127.0.0.1", 80)->port(), 80);
  EXPECT_TRUE(resolve_listen_address("::1", 80)->address().is_v6());
  EXPECT_TRUE(resolve_listen_address("localhost", 80)->address().is_loopback());
}

TEST(Listener, AnUnusableHostNamesTheOption) {
  for (const auto* host : {"", "no such host", "256.1.1.1.invalid"}) {
    const auto found = resolve_listen_address(host, 80);
    ASSERT_FALSE(found.has_value()) << host;
    EXPECT_EQ(found.error().code, ErrorCode::config_error);
    EXPECT_TRUE(found.error().message.starts_with("TARS_HOST")) << found.error().message;
  }
  boost::asio::io_context context;
  // An address of the documentation range is no address of this machine.
  const auto elsewhere = open_listener(context, *resolve_listen_address("192.0.2.1", 0), false);
  ASSERT_FALSE(elsewhere.has_value());
  EXPECT_TRUE(elsewhere.error().message.starts_with("TARS_HOST")) << elsewhere.error().message;
}

TEST(Listener, OnlySharedOnesShare) {
  boost::asio::io_context context;
  auto first = open_listener(context, *resolve_listen_address("127.0.0.1", 0), true);
  ASSERT_TRUE(first.has_value());
  const auto taken = first->local_endpoint();
  EXPECT_TRUE(open_listener(context, taken, true).has_value());
  const auto refused = open_listener(context, taken, false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(refused.error().message.starts_with("TARS_PORT")) << refused.error().message;
}

TEST(Listener, TheDescriptorLimitIsTheSoftOne) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit before = limit;
  limit.rlim_cur = limit.rlim_max / 2;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(descriptor_limit(), limit.rlim_cur);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST(Listener, KnowsTheMachinesAddresses) {
  EXPECT_TRUE(is_local(boost::asio::ip::make_address("127.0.0.1")));
  EXPECT_FALSE(is_local(boost::asio::ip::make_address("192.0.2.1")));
}

}  // namespace
}  // namespace tars::net
