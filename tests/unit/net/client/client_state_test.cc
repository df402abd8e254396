#include "net/client/client_state.h"

#include <gtest/gtest.h>

#include <openssl/ssl.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "../../../support/certificate.h"
#include "../../../support/temp_folder.h"
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

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// How many certificates are trusted beside the system's, whose own are read when they are needed.
int trusted(boost::asio::ssl::context& tls) {
  return sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(tls.native_handle())));
}

TEST_F(ClientStateTest, AChangedFileOfCertificatesIsReadAgain) {
  const TempFolder folder;
  const auto first = write_certificate(folder.path(), "first").certificate;
  const auto second = write_certificate(folder.path(), "second").certificate;
  const auto file = folder.path() / "ca.pem";
  auto put = [&, minute = 0](const std::string& bytes) mutable {
    std::ofstream(file, std::ios::trunc) << bytes;
    // Later than the last one, however coarse the clock of files is.
    const auto later = std::filesystem::last_write_time(file) + std::chrono::minutes(++minute);
    std::filesystem::last_write_time(file, later);
  };
  put(read_file(first));
  const auto state = std::make_shared<ClientState>(context_, ClientOptions{.ca_file = file});
  const auto count = [&] {
    const auto tls = state->tls();
    return tls ? trusted(**tls) : -1;
  };
  const int one = count();
  ASSERT_GE(one, 1);
  put(read_file(first) + read_file(second));
  EXPECT_EQ(count(), one + 1);
  put("half of a certif");
  EXPECT_EQ(count(), one + 1) << "what cannot be read changes nothing";
  std::filesystem::remove(file);
  EXPECT_EQ(count(), one + 1);
  put(read_file(first));
  EXPECT_EQ(count(), one);
}

}  // namespace
}  // namespace tars::net
