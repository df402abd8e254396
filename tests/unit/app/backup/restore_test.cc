#include "app/backup/restore.h"

#include "backup_fixture.h"
#include "base/sha256.h"

namespace tars::app {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

class RestoreTest : public BackupFixture {
 protected:
  RestoreTest() { back_up(data_, backup_, clock_).value(); }
  std::string error_of(const std::filesystem::path& to, bool force = false) {
    const auto restored = restore(backup_, to, force);
    return restored ? "no error" : restored.error().message;
  }
  const std::filesystem::path other_ = folder_.path() / "other";
};

TEST_F(RestoreTest, FillsANewFolder) {
  EXPECT_EQ(error_of(other_), "no error");
  EXPECT_THAT(names(other_), UnorderedElementsAre("auth.db", "chat.db", "jwt_secret", "tars.lock"));
  EXPECT_EQ(get(other_), 1);
  EXPECT_EQ(read(other_ / "jwt_secret"), "secret");
}

TEST_F(RestoreTest, WeightsAloneAreNoState) {
  std::filesystem::create_directories(other_ / "models");
  EXPECT_EQ(error_of(other_), "no error");
}

TEST_F(RestoreTest, ReplacesStateByForceOnly) {
  set(data_, 2);
  EXPECT_THAT(error_of(data_), HasSubstr("--force"));
  EXPECT_EQ(get(data_), 2);
  write(data_ / "auth.db", "of a later time");
  write(data_ / "chat-before.db", "mine");
  write(data_ / "chat.db-wal", "of the database that goes");
  write(data_ / "notes.txt", "mine");
  EXPECT_EQ(error_of(data_, true), "no error");
  EXPECT_THAT(names(data_), UnorderedElementsAre("auth.db", "chat.db", "jwt_secret", "tars.lock",
                                                 "models", "notes.txt", "chat-before.db"));
  EXPECT_EQ(get(data_), 1);
  EXPECT_EQ(read(data_ / "models" / "m.gguf"), "weights");
}

// Of the time when every database in the folder was taken along.
TEST_F(RestoreTest, ABackupOfAnEarlierVersionMayHoldOtherDatabases) {
  write(backup_ / "other.db", "theirs");
  Manifest manifest = read_manifest(backup_).value();
  manifest.files.push_back({"other.db", 6, sha256_hex("theirs"), 0});
  write(backup_ / kManifestFile, format_manifest(manifest));
  write(data_ / "other.db", "newer");
  write(data_ / "other.db-wal", "of the database that goes");
  EXPECT_EQ(error_of(data_, true), "no error");
  EXPECT_EQ(read(data_ / "other.db"), "theirs");
  EXPECT_FALSE(std::filesystem::exists(data_ / "other.db-wal"));
}

// Made without conversations, as earlier versions did.
TEST_F(RestoreTest, WhatTheBackupHasNotIsNamed) {
  Manifest manifest = read_manifest(backup_).value();
  std::erase_if(manifest.files, [](const BackupFile& file) { return file.name != "auth.db"; });
  write(backup_ / kManifestFile, format_manifest(manifest));
  EXPECT_THAT(error_of(data_), HasSubstr("deletes what the backup has not: chat.db, jwt_secret"));
  EXPECT_TRUE(std::filesystem::exists(data_ / "chat.db"));
  EXPECT_EQ(restore(backup_, data_, true)->dropped, "chat.db, jwt_secret");
  EXPECT_FALSE(std::filesystem::exists(data_ / "chat.db"));
  EXPECT_EQ(restore(backup_, data_, true)->dropped, "");
}

TEST_F(RestoreTest, AServersFolderIsLeftAlone) {
  const auto lock = store::FolderLock::acquire(data_).value();
  EXPECT_THAT(error_of(data_, true), HasSubstr("another T.A.R.S. uses this data folder"));
}

TEST_F(RestoreTest, ADamagedBackupChangesNothing) {
  set(data_, 2);
  write(backup_ / "jwt_secret", "secreT");
  EXPECT_THAT(error_of(data_, true), HasSubstr("sha256 differs"));
  EXPECT_EQ(get(data_), 2);
  EXPECT_THAT(error_of(other_), HasSubstr("sha256 differs"));
  EXPECT_FALSE(std::filesystem::exists(other_));
  std::filesystem::remove(backup_ / kManifestFile);
  EXPECT_THAT(error_of(other_), HasSubstr("manifest.json"));
}

// As a crash would leave it after the point of no return: some files moved, some not.
TEST_F(RestoreTest, IsFinishedAfterACrash) {
  set(data_, 2);
  const auto ready = data_ / "restore.ready";
  std::filesystem::copy(backup_, ready, std::filesystem::copy_options::recursive);
  std::filesystem::remove(data_ / "jwt_secret");
  std::filesystem::rename(ready / "jwt_secret", data_ / "jwt_secret");
  ASSERT_TRUE(finish_restore(data_));
  EXPECT_EQ(get(data_), 1);
  EXPECT_EQ(read(data_ / "jwt_secret"), "secret");
  EXPECT_FALSE(std::filesystem::exists(ready));
  EXPECT_TRUE(finish_restore(data_));
}

// A link that leads to itself stands for a disk that cannot be read for a moment.
TEST_F(RestoreTest, OneThatIsHalfDoneSaysSoAndIsFinishedLater) {
  std::filesystem::remove(data_ / "chat.db");
  std::filesystem::create_directories(data_ / "chat.db" / "in the way");
  const std::string error = error_of(data_, true);
  EXPECT_THAT(error, HasSubstr("chat.db: Is a directory"));
  EXPECT_THAT(error, HasSubstr("is half done: mend that, then the next start"));
  EXPECT_TRUE(restore_is_pending(data_));
  std::filesystem::remove_all(data_ / "chat.db");
  testing::internal::CaptureStderr();
  ASSERT_TRUE(finish_restore(data_));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("half done is finished"));
  EXPECT_EQ(get(data_), 1);
}

TEST_F(RestoreTest, AManifestThatCannotBeReadIsNamed) {
  std::filesystem::create_directories(data_ / "restore.ready");
  write(data_ / "restore.ready" / kManifestFile, "garbage");
  const auto refused = finish_restore(data_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("restore.ready/manifest.json"));
  EXPECT_THAT(refused.error().message, HasSubstr("restore again with --force"));
}

TEST_F(RestoreTest, WhatCannotBeLookedAtIsNotTakenForDone) {
  const auto ready = data_ / "restore.ready";
  std::filesystem::copy(backup_, ready, std::filesystem::copy_options::recursive);
  std::filesystem::remove(ready / "jwt_secret");
  std::filesystem::create_symlink("jwt_secret", ready / "jwt_secret");
  EXPECT_FALSE(finish_restore(data_));
  EXPECT_TRUE(std::filesystem::exists(ready / kManifestFile));
  std::filesystem::remove(ready / kManifestFile);
  std::filesystem::create_symlink(kManifestFile, ready / kManifestFile);
  EXPECT_FALSE(finish_restore(data_));
  EXPECT_TRUE(std::filesystem::is_symlink(ready / kManifestFile));
}

TEST_F(RestoreTest, IsForgottenAfterACrashBeforeIt) {
  std::filesystem::create_directories(other_ / "restore.staged");
  write(other_ / "restore.staged" / "chat.db", "half");
  ASSERT_TRUE(finish_restore(other_));
  EXPECT_FALSE(std::filesystem::exists(other_ / "restore.staged"));
  EXPECT_EQ(error_of(other_), "no error");
  EXPECT_EQ(get(other_), 1);
}

TEST_F(RestoreTest, ARefusedOneRemovesWhatAKilledOneLeft) {
  std::filesystem::create_directories(data_ / "restore.staged");
  write(data_ / "restore.staged" / "chat.db", "half");
  EXPECT_THAT(error_of(data_), HasSubstr("--force"));
  EXPECT_FALSE(std::filesystem::exists(data_ / "restore.staged"));
}

TEST_F(RestoreTest, WhatOnlyHasTheNameOfACopyStays) {
  std::filesystem::create_directories(folder_.path() / "precious");
  write(folder_.path() / "precious" / "file", "mine");
  std::filesystem::create_directory_symlink(folder_.path() / "precious", data_ / "restore.staged");
  ASSERT_TRUE(finish_restore(data_));
  EXPECT_TRUE(std::filesystem::is_symlink(data_ / "restore.staged"));
  EXPECT_EQ(read(folder_.path() / "precious" / "file"), "mine");
}

TEST_F(RestoreTest, WhatWasDoneButForTidyingUpIsDone) {
  std::filesystem::create_directories(data_ / "restore.ready");
  ASSERT_TRUE(finish_restore(data_));
  EXPECT_FALSE(std::filesystem::exists(data_ / "restore.ready"));
  EXPECT_EQ(get(data_), 1);
}

}  // namespace
}  // namespace tars::app
