#include "app/open_secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "../../support/temp_folder.h"

namespace tars::app {
namespace {

using testing::HasSubstr;

class OpenSecretsTest : public testing::Test {
 protected:
  OpenSecretsTest() { settings_.data_dir = folder_.path(); }
  const TempFolder folder_;
  config::Settings settings_;
};

TEST_F(OpenSecretsTest, WhatIsSetStays) {
  settings_.auth.secret_key = "set";
  settings_.auth.enrollment_key = "set";
  EXPECT_TRUE(open_secret_key(settings_));
  EXPECT_EQ(open_enrollment_key(settings_).value(), std::nullopt);
  EXPECT_EQ(settings_.auth.secret_key, "set");
  EXPECT_EQ(settings_.auth.enrollment_key, "set");
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(OpenSecretsTest, WhatIsMissingIsMadeOnce) {
  settings_.make_secret_key = settings_.make_enrollment_key = true;
  ASSERT_TRUE(open_secret_key(settings_));
  const auto key = open_enrollment_key(settings_).value();
  EXPECT_EQ(key, settings_.auth.enrollment_key);
  config::Settings again;
  again.data_dir = folder_.path();
  again.make_secret_key = again.make_enrollment_key = true;
  ASSERT_TRUE(open_secret_key(again));
  EXPECT_EQ(open_enrollment_key(again).value(), std::nullopt);
  EXPECT_EQ(again.auth.secret_key, settings_.auth.secret_key);
  EXPECT_EQ(again.auth.enrollment_key, settings_.auth.enrollment_key);
}

TEST_F(OpenSecretsTest, ADamagedOneIsAnError) {
  settings_.make_secret_key = true;
  std::ofstream(folder_.path() / kSecretFile) << "short";
  std::filesystem::permissions(folder_.path() / kSecretFile, std::filesystem::perms::owner_read);
  const auto opened = open_secret_key(settings_);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("which ends every token"));
}

TEST_F(OpenSecretsTest, ADamagedEnrolmentKeyEndsNoToken) {
  settings_.make_enrollment_key = true;
  std::ofstream(folder_.path() / kEnrollmentKeyFile) << "short";
  std::filesystem::permissions(folder_.path() / kEnrollmentKeyFile,
                               std::filesystem::perms::owner_read);
  const auto opened = open_enrollment_key(settings_);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("which new devices then need"));
}

}  // namespace
}  // namespace tars::app
