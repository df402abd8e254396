#include "net/io/tls_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>

#include "../../../support/certificate.h"
#include "../../../support/temp_folder.h"

namespace tars::net {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class TlsContextTest : public testing::Test {
 protected:
  static std::string error_of(const std::filesystem::path& certificate,
                              const std::filesystem::path& key) {
    const auto loaded = TlsContext::load({certificate, key});
    return loaded ? "no error" : loaded.error().message;
  }
  std::filesystem::path text_file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.path() / name) << text;
    return folder_.path() / name;
  }

  TempFolder folder_;
  CertificateFiles good_ = write_certificate(folder_.path(), "nas.local");
};

TEST_F(TlsContextTest, LoadsACertificateWithItsKey) {
  const auto loaded = TlsContext::load({good_.certificate, good_.key});
  ASSERT_TRUE(loaded);
  EXPECT_NE((*loaded)->current(), nullptr);
  EXPECT_THAT((*loaded)->description(), HasSubstr("nas.local, until 20"));
}

TEST_F(TlsContextTest, ErrorsNameTheOptionTheFileAndTheFix) {
  EXPECT_THAT(error_of("/nowhere/c.pem", good_.key),
              StartsWith("TLS_CERT_PATH: /nowhere/c.pem cannot be read (No such file"));
  EXPECT_THAT(error_of(good_.certificate, "/nowhere/k.pem"), StartsWith("TLS_KEY_PATH: "));
  EXPECT_THAT(error_of(text_file("empty", ""), good_.key), HasSubstr("it is empty"));
  EXPECT_THAT(error_of(text_file("noise", "hello"), good_.key),
              HasSubstr("holds no usable certificate"));
  EXPECT_THAT(error_of(good_.certificate, text_file("noise", "hello")),
              StartsWith("TLS_KEY_PATH: "));
  EXPECT_THAT(error_of(folder_.path(), good_.key),
              StartsWith("TLS_CERT_PATH: " + folder_.path().string() + " is a folder; "));
}

TEST_F(TlsContextTest, APipeIsNotWaitedFor) {
  const auto pipe = folder_.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(error_of(pipe, good_.key), HasSubstr("pipe is no regular file"));
  EXPECT_THAT(error_of(good_.certificate, pipe), StartsWith("TLS_KEY_PATH: "));
}

TEST_F(TlsContextTest, AnotherCertificatesKeyIsRefused) {
  const auto other = write_certificate(folder_.path(), "other");
  EXPECT_THAT(error_of(good_.certificate, other.key), StartsWith("TLS_KEY_PATH: "));
}

TEST_F(TlsContextTest, AKeyWithAPassphraseIsRefusedAndNothingAsks) {
  const auto locked = write_certificate(folder_.path(), "locked", 2, "secret");
  EXPECT_THAT(error_of(locked.certificate, locked.key), HasSubstr("removes a passphrase"));
}

TEST_F(TlsContextTest, AnExpiredCertificateIsRefused) {
  const auto old = write_certificate(folder_.path(), "old", -1);
  EXPECT_THAT(error_of(old.certificate, old.key), HasSubstr("has expired"));
}

TEST_F(TlsContextTest, OneThatIsNotValidYetIsTakenAtStartAndReplacesNone) {
  const auto loaded = TlsContext::load({good_.certificate, good_.key});
  ASSERT_TRUE(loaded);
  EXPECT_EQ((*loaded)->warning(), std::nullopt);
  const auto before = (*loaded)->current();
  write_certificate(folder_.path(), "nas.local", 9, nullptr, 5);
  const auto reloaded = (*loaded)->reload();
  ASSERT_FALSE(reloaded);
  EXPECT_THAT(reloaded.error().message, StartsWith("TLS_CERT_PATH: "));
  EXPECT_THAT(reloaded.error().message, HasSubstr("is not valid yet (CN = nas.local, from 20"));
  EXPECT_EQ((*loaded)->current(), before);
  const auto at_start = TlsContext::load({good_.certificate, good_.key});
  ASSERT_TRUE(at_start) << "a board without a clock starts in the past";
  EXPECT_EQ((*at_start)->warning(), reloaded.error().message);
}

TEST_F(TlsContextTest, AFailedReloadKeepsWhatIsThere) {
  const auto loaded = TlsContext::load({good_.certificate, good_.key});
  ASSERT_TRUE(loaded);
  const auto before = (*loaded)->current();
  text_file("nas.local.cert.pem", "broken");
  EXPECT_FALSE((*loaded)->reload());
  EXPECT_EQ((*loaded)->current(), before);
  write_certificate(folder_.path(), "nas.local");
  EXPECT_TRUE((*loaded)->reload());
  EXPECT_NE((*loaded)->current(), before);
}

}  // namespace
}  // namespace tars::net
