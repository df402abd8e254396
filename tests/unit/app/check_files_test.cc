#include "app/check_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "../../support/certificate.h"
#include "../../support/temp_folder.h"

namespace tars::app {
namespace {

using ::testing::HasSubstr;

class CheckFilesTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string refusal() const {
    const auto checked = check_files(settings_);
    return checked ? "" : checked.error().message;
  }

  const TempFolder folder_;
  config::Settings settings_;
};

TEST_F(CheckFilesTest, AModelThatIsNotNamedIsNotLookedFor) {
  settings_.embedded = true;
  EXPECT_EQ(refusal(), "");
  settings_.llm.model_path = path("none.gguf");
  EXPECT_THAT(refusal(), HasSubstr("MODEL_PATH: there is no file"));
  settings_.llm.model_path = folder_.path();
  EXPECT_THAT(refusal(), HasSubstr("is no file"));
  settings_.embedded = false;
  EXPECT_EQ(refusal(), "");
}

TEST_F(CheckFilesTest, CertificatesToTrustAreRead) {
  settings_.upstream_ca_file = path("ca.pem");
  EXPECT_THAT(refusal(), HasSubstr("UPSTREAM_CA_FILE: " + path("ca.pem")));
  std::ofstream(path("ca.pem")) << "no certificate\n";
  EXPECT_THAT(refusal(), HasSubstr("UPSTREAM_CA_FILE"));
  settings_.upstream_ca_file = write_certificate(folder_.path(), "ours").certificate.string();
  EXPECT_EQ(refusal(), "");
}

TEST_F(CheckFilesTest, TheServersOwnCertificateIsRead) {
  settings_.server.tls_certificate = path("cert.pem");
  settings_.server.tls_key = path("key.pem");
  EXPECT_THAT(refusal(), HasSubstr("TLS_CERT_PATH"));
  const CertificateFiles files = write_certificate(folder_.path(), "ours");
  settings_.server.tls_certificate = files.certificate;
  settings_.server.tls_key = files.key;
  EXPECT_EQ(refusal(), "");
}

}  // namespace
}  // namespace tars::app
