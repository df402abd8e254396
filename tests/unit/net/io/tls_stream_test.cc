#include "net/io/tls_stream.h"

#include <gtest/gtest.h>

#include <boost/asio/error.hpp>

#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "../../../support/certificate.h"
#include "../../../support/temp_folder.h"

namespace tars::net {
namespace {

namespace asio = boost::asio;

// Both ends of one connection, each taking steps that never wait.
class TlsStreamTest : public testing::Test {
 protected:
  TlsStreamTest() {
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data());
    const auto files = write_certificate(folder_.path(), "here");
    context_ = TlsContext::load({files.certificate, files.key}).value();
    server_.emplace(context_->current(), ends_[0]);
    client_context_.reset(SSL_CTX_new(TLS_client_method()));
    client_.reset(SSL_new(client_context_.get()));
    SSL_set_fd(client_.get(), ends_[1]);
    SSL_set_connect_state(client_.get());
  }
  ~TlsStreamTest() override {
    for (const int end : ends_) ::close(end);
  }

  bool shake_hands() {
    for (int i = 0; i < 10; ++i) {
      const bool client_done = SSL_do_handshake(client_.get()) == 1;
      const TlsStep step = server_->handshake();
      if (client_done && !step.error) return true;
      if (step.error && step.error != asio::error::would_block) return false;
    }
    return false;
  }

  TempFolder folder_;
  std::unique_ptr<TlsContext> context_;
  std::array<int, 2> ends_{};
  std::optional<TlsStream> server_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> client_context_{nullptr, SSL_CTX_free};
  std::unique_ptr<SSL, void (*)(SSL*)> client_{nullptr, SSL_free};
};

TEST_F(TlsStreamTest, StepsTellWhatToWaitFor) {
  const TlsStep step = server_->handshake();
  EXPECT_EQ(step.error, asio::error::would_block);
  EXPECT_FALSE(step.wants_write);
}

TEST_F(TlsStreamTest, CarriesBytesBothWays) {
  ASSERT_TRUE(shake_hands());
  SSL_write(client_.get(), "hello world", 11);
  std::array<char, 5> first{};
  EXPECT_EQ(server_->read(first).bytes, 5U);
  EXPECT_TRUE(server_->has_pending());
  std::array<char, 64> rest{};
  EXPECT_EQ(server_->read(rest).bytes, 6U);
  EXPECT_FALSE(server_->has_pending());
  EXPECT_EQ(server_->read(rest).error, asio::error::would_block);

  EXPECT_EQ(server_->write("answer").bytes, 6U);
  std::array<char, 16> got{};
  EXPECT_EQ(SSL_read(client_.get(), got.data(), got.size()), 6);
}

TEST_F(TlsStreamTest, AFullSocketIsToldAndTheSameBytesGoOn) {
  ASSERT_TRUE(shake_hands());
  const std::string text(1 << 20, 't');
  std::size_t sent = 0;
  TlsStep step;
  while (!(step = server_->write(std::string_view(text).substr(sent))).error) sent += step.bytes;
  EXPECT_EQ(step.error, asio::error::would_block);
  EXPECT_TRUE(step.wants_write);
  std::string got;
  std::array<char, 16384> part{};
  while (got.size() < text.size()) {
    const int n = SSL_read(client_.get(), part.data(), part.size());
    if (n > 0) got.append(part.data(), static_cast<std::size_t>(n));
    step = server_->write(std::string_view(text).substr(sent));
    sent += step.bytes;
  }
  EXPECT_TRUE(got == text);
}

TEST_F(TlsStreamTest, GoodbyesAreHeardAndSaid) {
  ASSERT_TRUE(shake_hands());
  SSL_shutdown(client_.get());
  std::array<char, 8> into{};
  EXPECT_EQ(server_->read(into).error, asio::error::eof);
  server_->end();
  EXPECT_EQ(SSL_shutdown(client_.get()), 1);
  EXPECT_EQ(server_->write("late").error, asio::error::connection_reset);
}

TEST_F(TlsStreamTest, AnEndWithoutAGoodbyeIsAnEnd) {
  ASSERT_TRUE(shake_hands());
  ::shutdown(ends_[1], SHUT_WR);
  std::array<char, 8> into{};
  EXPECT_EQ(server_->read(into).error, asio::error::eof);
}

TEST_F(TlsStreamTest, PlainHttpIsToldFromNoise) {
  ::send(ends_[1], "GET / HTTP/1.1\r\n\r\n", 18, 0);
  EXPECT_EQ(server_->handshake().error, asio::error::connection_reset);
  EXPECT_TRUE(server_->peer_spoke_http());

  TlsStream other(context_->current(), ends_[0]);
  ::send(ends_[1], "no protocol at all", 18, 0);
  EXPECT_EQ(other.handshake().error, asio::error::connection_reset);
  EXPECT_FALSE(other.peer_spoke_http());
}

}  // namespace
}  // namespace tars::net
