#include "net/client/connect_race.h"

#include <gmock/gmock.h>
#include <boost/asio/post.hpp>

#include "../../../support/descriptor_limit.h"
#include "local_peer.h"
#include "silent_listener.h"

namespace tars::net {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using net::testing::LocalPeer;
using net::testing::run;
using net::testing::SilentListener;
using ::testing::ElementsAre;

class ConnectRaceTest : public ::testing::Test {
 protected:
  using Tcp = ConnectRace::Tcp;
  Result<Tcp::endpoint> connect(const std::vector<Tcp::endpoint>& addresses,
                                std::chrono::milliseconds stagger = 250ms) {
    const auto race = std::make_shared<ConnectRace>(context_, addresses, stagger);
    const auto connected = run(context_, race->run());
    if (!connected) return connected.error();
    return race->take().remote_endpoint();
  }
  static Tcp::endpoint address_of(const LocalPeer& peer) {
    return {make_address("127.0.0.1"), peer.endpoint().port};
  }

  boost::asio::io_context context_{1};
};

TEST_F(ConnectRaceTest, AnAddressThatDropsEverythingCostsAMomentOnly) {
  LocalPeer peer([](auto& socket, int) { net::testing::wait_for_close(socket); });
  const SilentListener silent;
  const auto begin = std::chrono::steady_clock::now();
  const auto connected = connect({silent.address(), address_of(peer)});
  ASSERT_TRUE(connected);
  EXPECT_EQ(*connected, address_of(peer));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
}

TEST_F(ConnectRaceTest, AnAddressThatRefusesCostsNoTime) {
  LocalPeer peer([](auto& socket, int) { net::testing::wait_for_close(socket); });
  EXPECT_TRUE(connect({{make_address("127.0.0.1"), 1}, address_of(peer)}, 1h));
}

TEST_F(ConnectRaceTest, WhereAllFailTheFirstSaysWhy) {
  const auto refused = connect({{make_address("127.0.0.1"), 1}, {make_address("127.0.0.2"), 1}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::io_error);
  EXPECT_EQ(refused.error().message, "Connection refused");
  EXPECT_FALSE(connect({}));
}

TEST_F(ConnectRaceTest, WantOfDescriptorsIsToldFromARefusal) {
  const boost::asio::steady_timer some(context_);  // what the context itself opens is open now
  const auto want = [&] {
    const DescriptorLimit none(0);
    return connect({{make_address("127.0.0.1"), 1}});
  }();
  ASSERT_FALSE(want);
  EXPECT_EQ(want.error().code, ErrorCode::overloaded);
  EXPECT_EQ(want.error().message, "no socket can be opened: Too many open files");
}

TEST_F(ConnectRaceTest, ACancelEndsIt) {
  const SilentListener silent;
  const auto race = std::make_shared<ConnectRace>(
      context_, std::vector<Tcp::endpoint>{silent.address(), silent.address()}, 1ms);
  boost::asio::steady_timer later(context_, 50ms);
  later.async_wait([&](auto) { race->cancel(); });
  EXPECT_EQ(run(context_, race->run()).error().code, ErrorCode::closed);
}

TEST(Interleave, TheFamiliesTakeTurns) {
  using Tcp = ConnectRace::Tcp;
  const auto at = [](const char* text) { return Tcp::endpoint(make_address(text), 1); };
  EXPECT_THAT(interleave({at("::1"), at("::2"), at("::3"), at("10.0.0.1"), at("10.0.0.2")}),
              ElementsAre(at("::1"), at("10.0.0.1"), at("::2"), at("10.0.0.2"), at("::3")));
  EXPECT_THAT(interleave({at("10.0.0.1"), at("::1"), at("::2"), at("::3")}),
              ElementsAre(at("10.0.0.1"), at("::1"), at("::2"), at("::3")));
  EXPECT_TRUE(interleave({}).empty());
}

}  // namespace
}  // namespace tars::net
