#include "app/backup/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "../../../support/temp_folder.h"
#include "base/sha256.h"

namespace tars::app {
namespace {

using testing::HasSubstr;

TEST(StateFiles, AreTheProgramsOwnDatabasesAndSecrets) {
  for (const char* name : {"auth.db", "chat.db", "jwt_secret", "enrollment_key"}) {
    EXPECT_TRUE(is_backup_file(name)) << name;
    EXPECT_TRUE(is_state_file(name)) << name;
  }
  for (const char* name : {"auth.db-wal", "auth.db-shm", "auth.db-journal"}) {
    EXPECT_FALSE(is_backup_file(name)) << name;
    EXPECT_TRUE(is_state_file(name)) << name;
  }
  for (const char* name : {"tars.lock", "models", "chat-before.db", "any.db-wal", "../chat.db",
                           ".chat.db", "jwt_secret-wal", ""}) {
    EXPECT_FALSE(is_state_file(name)) << name;
  }
  EXPECT_EQ(database_of("any.db-wal"), "any.db");
  EXPECT_EQ(database_of("any.db"), "");
  EXPECT_EQ(database_of("jwt_secret-wal"), "");
}

Manifest example() {
  return {.program = "1.0",
          .created_at = WallTime(std::chrono::seconds(1'790'000'000)),
          .files = {{"auth.db", 3, sha256_hex("abc"), 1}, {"jwt_secret", 0, sha256_hex(""), 0}}};
}

TEST(ManifestText, ComesThrough) {
  const Manifest read = parse_manifest(format_manifest(example())).value();
  EXPECT_EQ(read.program, "1.0");
  EXPECT_EQ(read.created_at, example().created_at);
  ASSERT_EQ(read.files.size(), 2U);
  EXPECT_EQ(read.files[0].name, "auth.db");
  EXPECT_EQ(read.files[0].bytes, 3U);
  EXPECT_EQ(read.files[0].sha256, sha256_hex("abc"));
  EXPECT_EQ(read.files[0].schema, 1);
}

std::string error_of(std::string text, const std::string& from = "", const std::string& to = "") {
  if (const auto at = text.find(from); !from.empty()) text.replace(at, from.size(), to);
  const auto read = parse_manifest(text);
  return read ? "no error" : read.error().message;
}

TEST(ManifestText, NonsenseIsRefused) {
  const std::string good = format_manifest(example());
  EXPECT_EQ(error_of(good), "no error");
  EXPECT_EQ(error_of(good, "auth.db", "other.db"), "no error") << "of an earlier version";
  EXPECT_THAT(error_of("nonsense"), HasSubstr("no JSON object"));
  EXPECT_THAT(error_of("{}"), HasSubstr("format"));
  EXPECT_THAT(error_of(good, "\"format\":1", "\"format\":2"), HasSubstr("update the program"));
  EXPECT_THAT(error_of(good, "auth.db", "../auth.db"), HasSubstr("../auth.db"));
  EXPECT_THAT(error_of(good, "auth.db", "passwd"), HasSubstr("passwd"));
  EXPECT_THAT(error_of(good, "\"files\"", "\"filed\""), HasSubstr("lists no files"));
  EXPECT_THAT(error_of(good, "\"bytes\":3", "\"bytes\":-3"), HasSubstr("bytes"));
  EXPECT_THAT(error_of(good, "created_at", "created"), HasSubstr("created_at"));
  EXPECT_THAT(error_of(good, sha256_hex("abc"), "abc"), HasSubstr("sha256"));
}

class CheckBackupTest : public testing::Test {
 protected:
  CheckBackupTest() {
    write("auth.db", "abc");
    write("jwt_secret", "");
  }
  void write(const char* name, const std::string& text) {
    std::ofstream(folder_.path() / name) << text;
  }
  std::string trouble(const Manifest& manifest) {
    const auto checked = check_backup(folder_.path(), manifest);
    return checked ? "none" : checked.error().message;
  }
  const TempFolder folder_;
};

TEST_F(CheckBackupTest, EveryFileMustBeAsItWas) {
  EXPECT_EQ(trouble(example()), "none");
  write("auth.db", "abd");
  EXPECT_THAT(trouble(example()), HasSubstr("sha256 differs"));
  write("auth.db", "ab");
  EXPECT_THAT(trouble(example()), HasSubstr("has 2 bytes and not 3"));
  std::filesystem::remove(folder_.path() / "auth.db");
  EXPECT_THAT(trouble(example()), HasSubstr("auth.db cannot be read"));
}

TEST_F(CheckBackupTest, ANewerDatabaseIsRefused) {
  Manifest newer = example();
  newer.files[0].schema = 99;
  EXPECT_THAT(trouble(newer), HasSubstr("newer T.A.R.S. (schema 99"));
}

TEST_F(CheckBackupTest, TheManifestIsReadFromTheFolder) {
  EXPECT_THAT(read_manifest(folder_.path()).error().message, HasSubstr("manifest.json"));
  write(kManifestFile, format_manifest(example()));
  EXPECT_EQ(read_manifest(folder_.path())->files.size(), 2U);
  write(kManifestFile, std::string(2 * 1024 * 1024, ' '));
  EXPECT_THAT(read_manifest(folder_.path()).error().message, HasSubstr("too long"));
}

TEST_F(CheckBackupTest, AManifestThatIsNoFileIsRefusedAtOnce) {
  const auto path = folder_.path() / kManifestFile;
  std::filesystem::create_directory(path);
  EXPECT_THAT(read_manifest(folder_.path()).error().message, HasSubstr("it is a folder"));
  std::filesystem::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(read_manifest(folder_.path()).error().message, HasSubstr("nobody writes to it"));
  EXPECT_THAT(read_manifest("/dev/null").error().message, HasSubstr("there is no /dev/null/"));
}

TEST_F(CheckBackupTest, ABackupOfAnotherUserIsSaidToBeOne) {
  write(kManifestFile, format_manifest(example()));
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::getuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
    const auto read = read_manifest(folder_.path());
    const bool good = !read && read.error().message.find("cannot be read (Permission denied)") !=
                                   std::string::npos;
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::chmod(folder_.path().c_str(), 0700);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace tars::app
