#include "config/kept_secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "../../support/temp_folder.h"

namespace tars::config {
namespace {

using testing::HasSubstr;

class KeptSecretTest : public testing::Test {
 protected:
  void write(std::string_view content) {
    std::ofstream(file_) << content;
    ::chmod(file_.c_str(), 0600);
  }

  static Result<KeptSecret> load(const std::filesystem::path& file) {
    return load_or_make_secret(file, 32, "which has a price");
  }

  const TempFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "jwt_secret";
};

TEST_F(KeptSecretTest, IsMadeOnceAndKept) {
  const KeptSecret first = load(file_).value();
  EXPECT_TRUE(first.made_now);
  EXPECT_EQ(first.value.size(), 64U);
  const KeptSecret second = load(file_).value();
  EXPECT_FALSE(second.made_now);
  EXPECT_EQ(second.value, first.value);
}

TEST_F(KeptSecretTest, IsReadableByItsOwnerOnly) {
  (void)load(file_).value();
  struct stat status{};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_FALSE(std::filesystem::exists(file_.string() + ".new"));
}

TEST_F(KeptSecretTest, AnOpenFileIsRefused) {
  write(std::string(64, 'a'));
  ::chmod(file_.c_str(), 0644);
  const auto result = load(file_);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("can be read by other users"));
}

TEST_F(KeptSecretTest, ADamagedSecretIsNotReplaced) {
  write("short\n");
  const auto result = load(file_);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("damaged"));
  EXPECT_THAT(result.error().message, HasSubstr("TARS_DATA_DIR"));
  EXPECT_THAT(result.error().message, HasSubstr("make a new one, which has a price"));
}

TEST_F(KeptSecretTest, TheEndOfALineIsNoPartOfIt) {
  const std::string secret(64, 'a');
  for (const char* end : {"", "\n", "\r\n", "\r\n\r\n"}) {
    write(secret + end);
    EXPECT_EQ(load(file_).value().value, secret);
  }
}

TEST_F(KeptSecretTest, WhatIsNoFileIsSaidToBe) {
  std::filesystem::create_directory(file_);
  EXPECT_THAT(load(file_).error().message, HasSubstr("jwt_secret is a folder"));
  std::filesystem::remove(file_);
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  EXPECT_THAT(load(file_).error().message, HasSubstr("jwt_secret is no regular file"));
}

TEST_F(KeptSecretTest, AMissingFolderIsAnErrorValue) {
  const auto result = load(folder_.path() / "none" / "jwt_secret");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("cannot be written"));
}

TEST_F(KeptSecretTest, AHalfWrittenOneFromACrashIsOverwritten) {
  std::ofstream(file_.string() + ".new") << "ab";
  EXPECT_EQ(load(file_).value().value.size(), 64U);
}

}  // namespace
}  // namespace tars::config
