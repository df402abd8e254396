#include "app/check_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "../../support/certificate.h"
#include "../../support/temp_folder.h"

namespace tars::app {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CheckFilesTest : public ::testing::Test {
 protected:
  CheckFilesTest() { settings_.data_dir = folder_.path() / "data"; }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string refusal() const {
    const auto checked = check_files(settings_);
    return checked ? "" : checked.error().message;
  }

  const TempFolder folder_;
  config::Settings settings_;
};

TEST_F(CheckFilesTest, TheDataFolderMustBeWritableAndIsNotMade) {
  EXPECT_EQ(refusal(), "");
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  for (const char* bad : {"/proc/x", "/dev/null", "/dev/null/x"}) {
    settings_.data_dir = bad;
    EXPECT_THAT(refusal(), AllOf(HasSubstr(bad), HasSubstr("TARS_DATA_DIR"))) << bad;
  }
}

TEST_F(CheckFilesTest, TheLogFileMustBeWritableAndIsNotMade) {
  settings_.log_file = path("tars.log");
  EXPECT_EQ(refusal(), "");
  EXPECT_FALSE(std::filesystem::exists(path("tars.log")));
  std::ofstream(path("tars.log")) << "";
  EXPECT_EQ(refusal(), "");
  for (const std::string& bad : {path("none/tars.log"), folder_.path().string(), path("tars.log/x"),
                                 std::string("/proc/tars.log")}) {
    settings_.log_file = bad;
    EXPECT_THAT(refusal(), HasSubstr("LOG_FILE: " + bad)) << bad;
  }
  settings_.log_file = "tars.log";
  EXPECT_EQ(refusal(), "") << "in the working folder";
}

TEST_F(CheckFilesTest, TheStateIsReadAndStaysAsItIs) {
  const auto refusal_of_state = [this] {
    const auto checked = check_state(settings_);
    return checked ? std::string() : checked.error().message;
  };
  settings_.make_secret_key = settings_.make_enrollment_key = true;
  EXPECT_EQ(refusal_of_state(), "");
  EXPECT_FALSE(std::filesystem::exists(settings_.data_dir));
  std::filesystem::create_directory(settings_.data_dir);
  for (const char* name : {"jwt_secret", "enrollment_key"}) {
    const auto file = settings_.data_dir / name;
    std::ofstream(file) << "short";
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
    EXPECT_THAT(refusal_of_state(), AllOf(HasSubstr(file.string()), HasSubstr("too short")));
    std::ofstream(file) << std::string(64, 'a');
    EXPECT_EQ(refusal_of_state(), "");
    ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
    EXPECT_THAT(refusal_of_state(), AllOf(HasSubstr(file.string()), HasSubstr("chmod 600")));
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  }
  for (const char* name : {"auth.db", "chat.db"}) {
    std::ofstream(settings_.data_dir / name) << "this is no database";
    EXPECT_THAT(refusal_of_state(), AllOf(HasSubstr(name), HasSubstr("not a database")));
    std::ofstream(settings_.data_dir / name) << "";
  }
  EXPECT_EQ(refusal_of_state(), "");
  std::filesystem::permissions(settings_.data_dir / "jwt_secret", std::filesystem::perms::all);
  settings_.make_secret_key = false;
  EXPECT_EQ(refusal_of_state(), "") << "set from outside";
}

TEST_F(CheckFilesTest, AModelIsReadWhenAsked) {
  settings_.embedded = true;
  EXPECT_TRUE(check_model(settings_));
  settings_.llm.model_path = "/etc/passwd";
  const auto checked = check_model(settings_);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, HasSubstr("MODEL_PATH"));
  settings_.embedded = false;
  EXPECT_TRUE(check_model(settings_));
}

TEST_F(CheckFilesTest, TheAddressIsOneThatThisMachineKnows) {
  for (const char* good : {"127.0.0.1", "::", "localhost"}) {
    settings_.server.host = good;
    EXPECT_TRUE(check_address(settings_)) << good;
  }
  settings_.server.host = "no host";
  const auto checked = check_address(settings_);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, HasSubstr("TARS_HOST"));
}

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
  settings_.upstream_ca_file = path("pipe");
  ASSERT_EQ(::mkfifo(settings_.upstream_ca_file.c_str(), 0600), 0);
  EXPECT_THAT(refusal(), HasSubstr("it is no regular file"));
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

TEST_F(CheckFilesTest, ACertificateThatIsNotValidYetWarns) {
  EXPECT_THAT(file_warnings(settings_), IsEmpty());
  const CertificateFiles files = write_certificate(folder_.path(), "ours", 9, nullptr, 5);
  settings_.server.tls_certificate = files.certificate;
  settings_.server.tls_key = files.key;
  EXPECT_EQ(refusal(), "");
  EXPECT_THAT(file_warnings(settings_), ElementsAre(HasSubstr("is not valid yet")));
  write_certificate(folder_.path(), "ours");
  EXPECT_THAT(file_warnings(settings_), IsEmpty());
}

// Not in TMPDIR, which may be for its owner alone.
TEST_F(CheckFilesTest, AKeyThatEveryUserMayReadWarns) {
  const CertificateFiles files = write_certificate(folder_.path(), "ours");
  const std::string key = "/tmp/tars-check-test-" + std::to_string(::getpid());
  std::filesystem::copy_file(files.key, key);
  settings_.server.tls_certificate = files.certificate;
  settings_.server.tls_key = key;
  using std::filesystem::perms;
  std::filesystem::permissions(key, perms::owner_read | perms::group_read);
  EXPECT_THAT(file_warnings(settings_), IsEmpty());
  std::filesystem::permissions(key, perms::owner_read | perms::others_read);
  EXPECT_THAT(file_warnings(settings_),
              ElementsAre("TLS_KEY_PATH: every user may read " + key + "; chmod o= " + key));
  std::filesystem::remove(key);
}

}  // namespace
}  // namespace tars::app
