#include "app/backup/backup.h"

#include <sys/stat.h>

#include <functional>

#include "backup_fixture.h"

namespace tars::app {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

using BackupTest = BackupFixture;

TEST_F(BackupTest, HoldsDatabasesSecretsAndTheListOfThem) {
  write(data_ / "tars.lock", "");
  const store::Database open = database(data_);  // with a write-ahead log beside it
  const Manifest manifest = back_up(data_, backup_, clock_).value();
  EXPECT_THAT(names(backup_),
              UnorderedElementsAre("auth.db", "chat.db", "jwt_secret", "manifest.json"));
  EXPECT_EQ(get(backup_), 1);
  EXPECT_EQ(read(backup_ / "jwt_secret"), "secret");
  EXPECT_EQ(read_manifest(backup_)->files.size(), manifest.files.size());
  EXPECT_EQ(manifest.files.at(1).schema, 1);
  struct stat status{};
  ASSERT_EQ(::stat(backup_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST_F(BackupTest, ItsManifestHoldsForItsFiles) {
  const Manifest manifest = back_up(data_, backup_.string() + "/", clock_).value();
  EXPECT_TRUE(check_backup(backup_, manifest));
}

// As the server's own advice leaves one there: move auth.db away.
TEST_F(BackupTest, ADatabaseThatTheOperatorPutThereIsNone) {
  write(data_ / "auth-broken.db", std::string(8192, 'x'));
  ASSERT_TRUE(back_up(data_, backup_, clock_));
  EXPECT_THAT(names(backup_),
              UnorderedElementsAre("auth.db", "chat.db", "jwt_secret", "manifest.json"));
}

TEST_F(BackupTest, NeverTouchesWhatIsThere) {
  std::filesystem::create_directory(backup_);
  const auto refused = back_up(data_, backup_, clock_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("exists already"));
  EXPECT_TRUE(std::filesystem::is_empty(backup_));
}

TEST_F(BackupTest, OfNothingIsAnError) {
  EXPECT_THAT(back_up(folder_.path() / "none", backup_, clock_).error().message,
              HasSubstr("nothing to back up"));
  EXPECT_THAT(back_up(data_ / "models", backup_, clock_).error().message,
              HasSubstr("nothing to back up"));
}

TEST_F(BackupTest, WithoutOneOfTheDatabasesThereIsNone) {
  for (const char* name : {"auth.db", "chat.db"}) {
    std::filesystem::rename(data_ / name, data_ / "moved");
    EXPECT_THAT(back_up(data_, backup_, clock_).error().message,
                HasSubstr(data_.string() + " has no " + name));
    EXPECT_FALSE(std::filesystem::exists(backup_));
    std::filesystem::rename(data_ / "moved", data_ / name);
  }
}

TEST_F(BackupTest, AFailureLeavesNothing) {
  write(data_ / "auth.db", std::string(8192, 'x'));
  const auto failed = back_up(data_, backup_, clock_);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("auth.db"));
  EXPECT_THAT(names(folder_.path()), UnorderedElementsAre("data"));
}

TEST_F(BackupTest, AFolderThatIsMissingAboveItIsSaidByItsName) {
  EXPECT_THAT(back_up(data_, "/no/such/folder/backup", clock_).error().message,
              testing::StartsWith("/no/such/folder/backup cannot be made: No such file"));
}

// The time is asked for once it is known that there is nothing of that name.
class OvertakenClock final : public Clock {
 public:
  explicit OvertakenClock(std::function<void()> then) : then_(std::move(then)) {}
  WallTime wall() const override {
    then_();
    return {};
  }
  SteadyTime steady() const override { return {}; }

 private:
  std::function<void()> then_;
};

TEST_F(BackupTest, OfTwoToOneNameTheSlowerSaysThatItExists) {
  const OvertakenClock clock([this] { EXPECT_TRUE(back_up(data_, backup_, clock_)); });
  EXPECT_THAT(back_up(data_, backup_, clock).error().message, HasSubstr("exists already"));
  EXPECT_THAT(names(folder_.path()), UnorderedElementsAre("data", backup_.filename().string()));
}

}  // namespace
}  // namespace tars::app
