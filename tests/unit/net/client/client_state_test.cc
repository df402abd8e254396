#include "net/client/client_state.h"

#include <gtest/gtest.h>

#include "local_peer.h"

namespace tars::net {
namespace {

using namespace std::chrono_literals;
using net::testing::LocalPeer;
using net::testing::run;

class ClientStateTest : public ::testing::Test {
 protected:
  std::unique_ptr<ClientConnection> connect(const LocalPeer& peer) {
    auto connection = std::make_unique<ClientConnection>(context_);
    EXPECT_TRUE(run(context_, connection->connect({{boost::asio::ip::address_v4::loopback(),
                                                    peer.endpoint().port}})));
    return connection;
  }

  boost::asio::io_context context_{1};
  std::shared_ptr<ClientState> state_ = std::make_shared<ClientState>(
      context_, ClientOptions{.keep_alive = 60s, .max_kept_per_origin = 1});
};

TEST_F(ClientStateTest, AKeptConnectionIsGivenToItsOriginOnly) {
  LocalPeer peer([](auto& socket, int) { net::testing::wait_for_close(socket); });
  state_->keep(peer.endpoint(), connect(peer));
  EXPECT_EQ(state_->take({.host = "127.0.0.1", .port = 1}), nullptr);
  EXPECT_EQ(state_->take({.secure = true, .host = "127.0.0.1", .port = peer.endpoint().port}),
            nullptr);
  EXPECT_NE(state_->take(peer.endpoint()), nullptr);
  EXPECT_EQ(state_->kept(), 0U);
  state_->close();
}

TEST_F(ClientStateTest, OneThatThePeerClosedOrSpokeOnIsDropped) {
  LocalPeer peer([](auto& socket, int number) {
    if (number == 0) return;  // closes
    net::testing::send(socket, "unasked");
    net::testing::wait_for_close(socket);
  });
  for (int i = 0; i < 2; ++i) {
    auto connection = connect(peer);
    for (int wait = 0; wait < 1000 && connection->is_quiet(); ++wait) {
      std::this_thread::sleep_for(1ms);
    }
    state_->keep(peer.endpoint(), std::move(connection));
    EXPECT_EQ(state_->take(peer.endpoint()), nullptr) << i;
  }
  state_->close();
}

TEST_F(ClientStateTest, NoMoreAreKeptThanAllowed) {
  LocalPeer peer([](auto& socket, int) { net::testing::wait_for_close(socket); });
  auto first = connect(peer);
  state_->keep(peer.endpoint(), std::move(first));
  state_->keep(peer.endpoint(), std::make_unique<ClientConnection>(context_));
  EXPECT_EQ(state_->kept(), 1U);
  state_->close();
  EXPECT_EQ(state_->kept(), 0U);
}

TEST_F(ClientStateTest, AMissingFileOfCertificatesIsNamed) {
  const auto state = std::make_shared<ClientState>(context_, ClientOptions{.ca_file = "/no/file"});
  const auto tls = state->tls();
  ASSERT_FALSE(tls);
  EXPECT_NE(tls.error().message.find("/no/file"), std::string::npos);
}

}  // namespace
}  // namespace tars::net
