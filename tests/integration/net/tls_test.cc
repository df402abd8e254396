#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <openssl/x509.h>

#include <filesystem>

#include "../../support/certificate.h"
#include "../../support/temp_folder.h"
#include "test_server.h"

namespace tars::net::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Tls : public ::testing::Test {
 protected:
  ServerOptions options() const {
    ServerOptions out;
    out.tls_certificate = files_.certificate;
    out.tls_key = files_.key;
    out.max_body_bytes = 16 << 20;
    out.max_message_bytes = 8 << 20;
    return out;
  }
  static std::string subject(const RawClient& client) {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        SSL_get1_peer_certificate(client.tls()), X509_free);
    char name[256] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                              sizeof(name));
    return name;
  }

  TempFolder folder_;
  CertificateFiles files_ = write_certificate(folder_.path(), "first");
};

TEST_F(Tls, CarriesRequestsAndTellsThatItDid) {
  TestServer t(options());
  RawClient client = t.client();
  ASSERT_TRUE(client.start_tls());
  EXPECT_EQ(client.get("/a").body, "GET /a");
  EXPECT_EQ(client.get("/secure").status, 200U);
  EXPECT_EQ(TestServer().client().get("/secure").status, 418U);
}

TEST_F(Tls, CarriesLargeBodiesBothWays) {
  TestServer t(options());
  RawClient client = t.client();
  ASSERT_TRUE(client.start_tls());
  EXPECT_EQ(client.get("/big").body.size(), 8U << 20);
  std::string body(5 << 20, 'b');
  body[3 << 20] = 'x';
  const auto echoed = client.ask("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: " +
                                 std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_TRUE(echoed.body == body);
}

TEST_F(Tls, CarriesWebSockets) {
  TestServer t(options());
  RawClient client = t.client();
  ASSERT_TRUE(client.start_tls());
  ASSERT_EQ(client.upgrade().status, 101U);
  for (const std::size_t size : {0U, 1U, 125U, 16'384U, 3'000'000U}) {
    std::string text(size, 'w');
    if (!text.empty()) text.back() = 'z';
    ASSERT_TRUE(client.send_text(text));
    EXPECT_TRUE(client.read_frame().payload == text) << size;
  }
  client.send_close(1000);
  EXPECT_EQ(client.read_frame().code(), 1000U);
  EXPECT_TRUE(client.ends());
}

// Many frames in one record, so that what OpenSSL holds is read without a readable socket.
TEST_F(Tls, ReadsAllFramesOfARecord) {
  TestServer t(options());
  RawClient client = t.client();
  ASSERT_TRUE(client.start_tls());
  ASSERT_EQ(client.upgrade().status, 101U);
  std::string frames;
  for (int i = 0; i < 1000; ++i) frames += RawClient::frame(1, std::to_string(i));
  ASSERT_TRUE(client.send(frames));
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.read_frame().payload, std::to_string(i));
}

asio::awaitable<void> write_many(std::unique_ptr<WebSocket> socket) {
  for (int i = 0; i < 40; ++i) {
    const auto sent = co_await socket->write(std::string(100'000, static_cast<char>('a' + i % 26)));
    if (!sent) co_return;
  }
  co_await socket->close(CloseCode::normal, "done");
}

TEST_F(Tls, AReaderThatPausesLosesNothing) {
  TestServer t(options());
  t.application.session = write_many;
  RawClient client(t.server.port(), 4096);
  ASSERT_TRUE(client.start_tls());
  ASSERT_EQ(client.upgrade().status, 101U);
  std::this_thread::sleep_for(300ms);
  for (int i = 0; i < 40; ++i) {
    const RawFrame frame = client.read_frame();
    ASSERT_EQ(frame.payload, std::string(100'000, static_cast<char>('a' + i % 26))) << i;
  }
  EXPECT_EQ(client.read_frame().code(), 1000U);
}

TEST_F(Tls, OldVersionsAreRefused) {
  TestServer t(options());
  const auto speaks = [&](int version) {
    RawClient client = t.client();
    return client.start_tls([version](SSL* ssl) {
      SSL_set_security_level(ssl, 0);
      SSL_set_min_proto_version(ssl, version);
      SSL_set_max_proto_version(ssl, version);
    });
  };
  EXPECT_FALSE(speaks(TLS1_VERSION));
  EXPECT_FALSE(speaks(TLS1_1_VERSION));
  EXPECT_TRUE(speaks(TLS1_2_VERSION));
  EXPECT_TRUE(speaks(TLS1_3_VERSION));
}

TEST_F(Tls, Http11IsTheOnlyProtocol) {
  TestServer t(options());
  const auto agrees = [&](std::string offered) {
    RawClient client = t.client();
    return client.start_tls([&](SSL* ssl) {
      SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(offered.data()),
                          static_cast<unsigned>(offered.size()));
    });
  };
  EXPECT_TRUE(agrees("\x02h2\x08http/1.1"));
  EXPECT_FALSE(agrees("\x02h2"));
}

TEST_F(Tls, PlainHttpIsToldWhatThisPortSpeaks) {
  TestServer t(options());
  const auto response = t.client().get("/a");
  EXPECT_EQ(response.status, 400U);
  EXPECT_THAT(response.body, HasSubstr("https://"));
  EXPECT_EQ(t.application.requests, 0);
}

TEST_F(Tls, WhoNeverFinishesTheHandshakeIsDropped) {
  ServerOptions short_wait = options();
  short_wait.header_timeout = 1s;
  TestServer t(short_wait);
  RawClient silent = t.client();
  RawClient half = t.client();
  half.send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  RawClient noise = t.client();
  noise.send(std::string(64, '\x7f'));
  EXPECT_TRUE(silent.ends());
  EXPECT_TRUE(half.ends());
  EXPECT_TRUE(noise.ends());
  EXPECT_TRUE(t.settles_at(0));
}

TEST_F(Tls, ClientsThatVanishLeaveNothing) {
  TestServer t(options());
  for (int i = 0; i < 20; ++i) {
    RawClient client = t.client();
    if (i % 2 == 0) {
      ASSERT_TRUE(client.start_tls());
      if (i % 4 == 0) client.upgrade();
    }
    client.reset();
  }
  EXPECT_TRUE(t.settles_at(0));
}

TEST_F(Tls, ANewCertificateIsForNewConnections) {
  TestServer t(options());
  RawClient old = t.client();
  ASSERT_TRUE(old.start_tls());
  ASSERT_EQ(old.upgrade().status, 101U);
  const CertificateFiles second = write_certificate(folder_.path(), "second");
  fs::rename(second.certificate, files_.certificate);
  fs::rename(second.key, files_.key);
  ASSERT_TRUE(t.server.reload_certificate());
  RawClient fresh = t.client();
  ASSERT_TRUE(fresh.start_tls());
  EXPECT_EQ(subject(fresh), "second");
  ASSERT_TRUE(old.send_text("still here"));
  EXPECT_EQ(old.read_frame().payload, "still here");
}

TEST_F(Tls, ABadNewCertificateChangesNothing) {
  TestServer t(options());
  fs::remove(files_.key);
  const auto reloaded = t.server.reload_certificate();
  ASSERT_FALSE(reloaded);
  EXPECT_THAT(reloaded.error().message, HasSubstr("TLS_KEY_PATH"));
  RawClient client = t.client();
  ASSERT_TRUE(client.start_tls());
  EXPECT_EQ(subject(client), "first");
}

TEST_F(Tls, StopEndsTlsConnectionsOrderly) {
  auto t = std::make_unique<TestServer>(options());
  RawClient idle = t->client();
  ASSERT_TRUE(idle.start_tls());
  ASSERT_EQ(idle.get("/a").status, 200U);
  t->server.stop(1s);
  EXPECT_TRUE(idle.ends());
  EXPECT_EQ(SSL_get_shutdown(idle.tls()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
}

}  // namespace
}  // namespace tars::net::testing
