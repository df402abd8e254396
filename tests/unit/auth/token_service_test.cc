#include "auth/token_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "auth_fixture.h"

namespace tars::auth {
namespace {

using ::testing::HasSubstr;

TEST(TokenServiceOpen, RefusesAWeakSecretByName) {
  const ManualClock clock;
  Options options = test_options();
  options.secret_key = std::string(31, 'x');
  auto service = TokenService::open(":memory:", options, clock);
  ASSERT_FALSE(service);
  EXPECT_EQ(service.error().code, ErrorCode::config_error);
  EXPECT_THAT(service.error().message, HasSubstr("JWT_SECRET_KEY"));
  options = test_options();
  options.previous_secret_key = "short";
  service = TokenService::open(":memory:", options, clock);
  ASSERT_FALSE(service);
  EXPECT_THAT(service.error().message, HasSubstr("JWT_PREVIOUS_SECRET_KEY"));
}

TEST(TokenServiceOpen, MakesItsFolderPrivate) {
  const TempFolder base;
  const ManualClock clock;
  ASSERT_TRUE(TokenService::open(base.path() / "data" / "auth.db", test_options(), clock));
  struct stat info{};
  ASSERT_EQ(::stat((base.path() / "data").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST(TokenServiceOpen, NamesTheOptionWhenTheFolderCannotBeWritten) {
  const ManualClock clock;
  const auto service = TokenService::open("/proc/tars/auth.db", test_options(), clock);
  ASSERT_FALSE(service);
  EXPECT_EQ(service.error().code, ErrorCode::config_error);
  EXPECT_THAT(service.error().message, HasSubstr("TARS_DATA_DIR"));
}

TEST(TokenServiceOpen, RefusesTheStartOnADatabaseOfANewerProgram) {
  const TempFolder folder;
  const ManualClock clock;
  const auto path = folder.path() / "auth.db";
  {
    ASSERT_TRUE(TokenService::open(path, test_options(), clock));
  }
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(60);  // user_version, big-endian
    file.write("\0\0\0\x63", 4);
  }
  const auto service = TokenService::open(path, test_options(), clock);
  ASSERT_FALSE(service);
  EXPECT_EQ(service.error().code, ErrorCode::config_error);
  EXPECT_THAT(service.error().message, HasSubstr("newer T.A.R.S."));
}

// Fail closed: nothing is accepted while the revocations are unknown.
TEST(TokenServiceOpen, RefusesEveryTokenWhenTheRevocationsCannotBeRead) {
  const TempFolder folder;
  const ManualClock clock;
  const auto path = folder.path() / "auth.db";
  TokenPair pair;
  {
    auto service = TokenService::open(path, test_options(), clock).value();
    pair =
        service
            ->enroll(
                {.client_id = "alice", .device_name = {}, .device_type = {}, .enrollment_key = {}})
            .value();
  }
  std::filesystem::remove(folder.path() / "auth.db-wal");
  std::ofstream(path) << std::string(20000, 'x');
  auto opened = TokenService::open(path, test_options(), clock);
  ASSERT_TRUE(opened) << opened.error().message;
  TokenService& service = **opened;
  EXPECT_EQ(service.verify(pair.access_token, TokenType::access).error().code,
            ErrorCode::store_unavailable);
  EXPECT_EQ(service.verify_any(pair.refresh_token).error().code, ErrorCode::store_unavailable);
  EXPECT_EQ(
      service
          .enroll(
              {.client_id = "alice", .device_name = {}, .device_type = {}, .enrollment_key = {}})
          .error()
          .code,
      ErrorCode::store_unavailable);
  EXPECT_EQ(refresh(service, pair.refresh_token).error().code, ErrorCode::store_unavailable);
  EXPECT_EQ(revoke(service, {}, pair.refresh_token).error().code, ErrorCode::store_unavailable);
  EXPECT_EQ(devices(service, "alice").error().code, ErrorCode::store_unavailable);
  const auto check = service.check();
  ASSERT_FALSE(check);
  EXPECT_THAT(check.error().message, HasSubstr("is not a database"));
  EXPECT_THAT(check.error().message, HasSubstr(path.string()));
  // A bad token is still just a bad token.
  EXPECT_EQ(service.verify("rubbish", TokenType::access).error().message, "token_invalid");
}

// As after a disk that was full, or a program that held the file for a while.
TEST(TokenServiceOpen, AcceptsTokensAgainOnceTheRevocationsCanBeRead) {
  const TempFolder folder;
  const ManualClock clock;
  const auto path = folder.path() / "auth.db";
  const auto enroll = [](TokenService& service) {
    return service.enroll(
        {.client_id = "alice", .device_name = {}, .device_type = {}, .enrollment_key = {}});
  };
  const auto foreign = enroll(*TokenService::open(":memory:", test_options(), clock).value());
  TokenPair good;
  TokenPair revoked;
  {
    auto service = TokenService::open(path, test_options(), clock).value();
    good = enroll(*service).value();
    revoked = enroll(*service).value();
    const Claims claims = service->verify_any(revoked.access_token).value();
    ASSERT_TRUE(revoke(*service, claims, revoked.refresh_token));
  }
  const auto aside = folder.path() / "aside";
  std::filesystem::rename(path, aside);
  std::ofstream(path) << std::string(20000, 'x');
  auto service = TokenService::open(path, test_options(), clock).value();
  for (const TokenPair& pair : {good, revoked, *foreign}) {
    EXPECT_EQ(service->verify_any(pair.access_token).error().code, ErrorCode::store_unavailable);
  }
  std::filesystem::rename(aside, path);
  while (!service->check()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(service->verify_any(good.access_token));
  EXPECT_EQ(service->verify_any(revoked.access_token).error().code, ErrorCode::token_revoked);
  EXPECT_EQ(service->verify_any(foreign->access_token).error().message, "token_invalid");
  EXPECT_TRUE(refresh(*service, good.refresh_token));
  EXPECT_TRUE(enroll(*service));
}

}  // namespace
}  // namespace tars::auth
