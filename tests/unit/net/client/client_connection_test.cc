#include "net/client/client_connection.h"

#include <gmock/gmock.h>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "local_peer.h"

namespace tars::net {
namespace {

namespace ssl = boost::asio::ssl;
using net::testing::LocalPeer;
using net::testing::run;
using ::testing::HasSubstr;

// A key and a certificate of its own for `localhost`, made for this run.
struct Certificate {
  Certificate() {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME* const name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_EXTENSION* const names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(cert, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(cert, key, EVP_sha256());
    BIO* const out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, cert);
    PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    pem.assign(data, static_cast<std::size_t>(size));
    BIO_free(out);
    X509_free(cert);
    EVP_PKEY_free(key);
  }
  std::string pem;
};

class ClientConnectionTest : public ::testing::Test {
 protected:
  Result<void> connect(ClientConnection& connection, const LocalPeer& peer) {
    return run(context_, connection.connect(
                             {{boost::asio::ip::address_v4::loopback(), peer.endpoint().port}}));
  }
  boost::asio::io_context context_{1};
};

TEST_F(ClientConnectionTest, ReadsAllThatTheSocketHas) {
  LocalPeer peer([](auto& socket, int) {
    net::testing::send(socket, "one two");
    net::testing::wait_for_close(socket);
  });
  ClientConnection connection(context_);
  ASSERT_TRUE(connect(connection, peer));
  std::string got(100, '\0');
  const auto n = run(context_, connection.read(got.data(), got.size()));
  ASSERT_TRUE(n);
  EXPECT_EQ(got.substr(0, *n), "one two");
  EXPECT_TRUE(connection.is_quiet());
}

TEST_F(ClientConnectionTest, TheNextAddressIsTried) {
  LocalPeer peer([](auto& socket, int) { net::testing::wait_for_close(socket); });
  ClientConnection connection(context_);
  const auto loopback = boost::asio::ip::address_v4::loopback();
  EXPECT_TRUE(run(context_, connection.connect({{loopback, 1}, {loopback, peer.endpoint().port}})));
}

TEST_F(ClientConnectionTest, APeerThatVanishesIsNoticed) {
  LocalPeer peer([](auto& socket, int) { net::testing::wait_for_close(socket); });
  ClientConnection connection(context_);
  ASSERT_TRUE(connect(connection, peer));
  const auto option = [&](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    ::getsockopt(connection.native_handle(), level, name, &value, &size);
    return value;
  };
  EXPECT_NE(option(SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 15);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 5);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 3);
  connection.give_up_unacknowledged(std::chrono::seconds(10));
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 10'000);
}

TEST_F(ClientConnectionTest, ACloseEndsARead) {
  LocalPeer peer([](auto& socket, int) { net::testing::wait_for_close(socket); });
  ClientConnection connection(context_);
  ASSERT_TRUE(connect(connection, peer));
  boost::asio::post(context_, [&] { connection.close(); });
  char byte = 0;
  EXPECT_FALSE(run(context_, connection.read(&byte, 1)));
  EXPECT_FALSE(connection.is_quiet());
}

class TlsTest : public ClientConnectionTest {
 protected:
  // What the handshake says, and on success what the peer sent.
  std::string talk(ssl::context& trusted, const std::string& host) {
    LocalPeer peer([this](auto& socket, int) {
      ssl::context context(ssl::context::tls_server);
      context.use_certificate_chain(boost::asio::buffer(certificate_.pem));
      context.use_private_key(boost::asio::buffer(certificate_.pem), ssl::context::pem);
      ssl::stream<LocalPeer::Tcp::socket&> stream(socket, context);
      boost::system::error_code ec;
      stream.handshake(ssl::stream_base::server, ec);
      if (!ec) boost::asio::write(stream, boost::asio::buffer("hello", 5), ec);
    });
    ClientConnection connection(context_);
    EXPECT_TRUE(connect(connection, peer));
    const auto secured = run(context_, connection.secure(trusted, host));
    if (!secured) return secured.error().message;
    std::string got(100, '\0');
    const auto n = run(context_, connection.read(got.data(), got.size()));
    return n ? got.substr(0, *n) : n.error().message;
  }
  ssl::context trusting() {
    ssl::context out(ssl::context::tls_client);
    out.set_verify_mode(ssl::verify_peer);
    out.add_certificate_authority(boost::asio::buffer(certificate_.pem));
    return out;
  }
  const Certificate certificate_;
};

TEST_F(TlsTest, ATrustedCertificateWithTheRightNameIsTaken) {
  auto trusted = trusting();
  EXPECT_EQ(talk(trusted, "localhost"), "hello");
}

TEST_F(TlsTest, AnotherNameIsRefused) {
  auto trusted = trusting();
  EXPECT_THAT(talk(trusted, "example.org"), HasSubstr("not trusted"));
  EXPECT_THAT(talk(trusted, "127.0.0.1"), HasSubstr("not trusted"));
}

TEST_F(TlsTest, AnUnknownIssuerIsRefused) {
  ssl::context none(ssl::context::tls_client);
  none.set_verify_mode(ssl::verify_peer);
  EXPECT_THAT(talk(none, "localhost"), HasSubstr("not trusted"));
}

}  // namespace
}  // namespace tars::net
