// What is on the disk survives, and what is on the disk is no token.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "service_fixture.h"
#include "store/database.h"

namespace tars::auth {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class PersistenceTest : public ServiceFixture {
 protected:
  std::filesystem::path database() const { return folder_.path() / "auth.db"; }

  // Runs `body` with the service open in a child, which then dies without a word.
  template <class F>
  void in_killed_child(F body) {
    service_.reset();  // no thread may be running over a fork
    const pid_t child = ::fork();
    if (child == 0) {
      open(options_);
      body();
      ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }

  void write(const char* name, const std::string& text) {
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
  }
  std::string read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

TEST_F(PersistenceTest, RevocationsSurviveARestart) {
  const TokenPair family = enroll();
  const TokenPair single = enroll();
  const TokenPair rotated = enroll();
  const TokenPair next = refresh(*service_, rotated.refresh_token).value();
  const Claims caller = claims_of(family.access_token);
  ASSERT_TRUE(revoke(*service_, caller, family.refresh_token));
  ASSERT_TRUE(revoke(*service_, caller, single.access_token));
  open(options_);
  EXPECT_EQ(word(family.access_token), "token_revoked");
  EXPECT_EQ(word(family.refresh_token, TokenType::refresh), "token_revoked");
  EXPECT_EQ(word(single.access_token), "token_revoked");
  EXPECT_EQ(word(single.refresh_token, TokenType::refresh), "good");
  EXPECT_EQ(word(next.access_token), "good");
  // Reuse is found after a restart too.
  EXPECT_EQ(refresh(*service_, rotated.refresh_token).error().code, ErrorCode::token_revoked);
  EXPECT_EQ(word(next.access_token), "token_revoked");
  open(options_);
  EXPECT_EQ(word(next.access_token), "token_revoked");
}

TEST_F(PersistenceTest, DevicesSurviveARestart) {
  enroll();
  open(options_);
  EXPECT_EQ(devices(*service_, "alice")->size(), 1U);
}

TEST_F(PersistenceTest, AConfirmedRevocationSurvivesAKill) {
  in_killed_child([&] {
    const TokenPair pair = enroll();
    const TokenPair spent = enroll();
    if (!revoke(*service_, claims_of(pair.access_token), pair.refresh_token)) ::_exit(1);
    if (!refresh(*service_, spent.refresh_token)) ::_exit(1);
    write("revoked", pair.access_token);
    write("spent", spent.refresh_token);
  });
  open(options_);
  EXPECT_EQ(word(read(folder_.path() / "revoked")), "token_revoked");
  EXPECT_EQ(word(read(folder_.path() / "spent"), TokenType::refresh), "token_revoked");
}

TEST_F(PersistenceTest, AKillInTheMiddleOfWritesLeavesAGoodStore) {
  for (int round = 0; round < 3; ++round) {
    in_killed_child([&] {
      for (int i = 0; i < 200 + round * 50; ++i) {
        const TokenPair pair = enroll();
        // Not waited for: the kill comes while these are being written.
        service_->refresh(pair.refresh_token, [](Result<TokenPair>) {});
      }
    });
    open(options_);
    EXPECT_TRUE(service_->check());
    const TokenPair pair = enroll();
    EXPECT_TRUE(refresh(*service_, pair.refresh_token));
  }
}

TEST_F(PersistenceTest, ATokenOfAForgottenFamilyIsGood) {
  in_killed_child([&] { write("token", enroll().refresh_token); });
  open(options_);
  ASSERT_TRUE(refresh(*service_, read(folder_.path() / "token")));
  EXPECT_EQ(devices(*service_, "alice")->size(), 1U);
}

TEST_F(PersistenceTest, NoFileHoldsAToken) {
  std::vector<std::string> tokens;
  for (int i = 0; i < 20; ++i) {
    const TokenPair pair = enroll();
    const TokenPair next = refresh(*service_, pair.refresh_token).value();
    ASSERT_TRUE(revoke(*service_, claims_of(next.access_token), next.access_token));
    for (const TokenPair& p : {pair, next})
      tokens.insert(tokens.end(), {p.access_token, p.refresh_token});
  }
  std::size_t files = 0;
  const auto look = [&] {
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      const std::string bytes = read(entry.path());
      files += bytes.empty() ? 0U : 1U;
      EXPECT_EQ(bytes.find("eyJ"), std::string::npos) << entry.path();
      EXPECT_EQ(bytes.find(kSecret), std::string::npos);
      for (const std::string& token : tokens) {
        const std::string signature = token.substr(token.rfind('.') + 1);
        ASSERT_EQ(bytes.find(signature), std::string::npos) << entry.path();
      }
    }
  };
  look();  // with the -wal
  EXPECT_GE(files, 2U);
  service_.reset();
  look();
}

TEST_F(PersistenceTest, DamagedRevocationsRefuseEveryToken) {
  const TokenPair good = enroll();
  for (int i = 0; i < 600; ++i) {
    const TokenPair pair = enroll();
    service_->revoke(claims_of(pair.access_token), pair.access_token, [](Result<void>) {});
  }
  service_.reset();
  std::fstream file(database(), std::ios::in | std::ios::out | std::ios::binary);
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(database()));
  ASSERT_GT(size, 8 * 4096);
  file.seekp(4096);  // the schema on the first page stays whole
  file << std::string(static_cast<std::size_t>(size - 4096), '\x55');
  file.close();
  open(options_);
  EXPECT_EQ(service_->verify(good.access_token, TokenType::access).error().code,
            ErrorCode::store_unavailable);
  ASSERT_FALSE(service_->check());
  EXPECT_THAT(service_->check().error().message, HasSubstr("damaged"));
}

// An empty ledger knows no revocation, so it may not vouch for tokens that it never heard of.
TEST_F(PersistenceTest, ALostLedgerTakesItsTokensWithIt) {
  const auto lose = [&](bool remove) {
    for (const char* name : {"auth.db", "auth.db-wal", "auth.db-shm"}) {
      const auto path = folder_.path() / name;
      if (remove || path != database()) {
        std::filesystem::remove(path);
      } else {
        std::filesystem::resize_file(path, 0);
      }
    }
  };
  for (const bool removed : {true, false}) {
    const TokenPair good = enroll();
    const TokenPair revoked = enroll();
    ASSERT_TRUE(revoke(*service_, claims_of(revoked.access_token), revoked.refresh_token));
    service_.reset();
    lose(removed);
    open(options_);
    ASSERT_TRUE(service_->check());
    for (const TokenPair& pair : {good, revoked}) {
      EXPECT_EQ(word(pair.access_token), "token_invalid");
      EXPECT_EQ(refresh(*service_, pair.refresh_token).error().code, ErrorCode::invalid_token);
    }
    const TokenPair fresh = enroll();
    open(options_);
    EXPECT_EQ(word(fresh.access_token), "good");
  }
}

TEST_F(PersistenceTest, ALostLedgerTakesThePreviousKeysTokensToo) {
  const TokenPair old_pair = enroll();
  Options options = test_options();
  options.secret_key = "another secret of at least 32 bytes!!";
  options.previous_secret_key = kSecret;
  open(options);
  ASSERT_EQ(word(old_pair.access_token), "good");
  service_.reset();
  std::filesystem::remove(database());
  open(options);
  EXPECT_EQ(word(old_pair.access_token), "token_invalid");
}

TEST_F(PersistenceTest, ALedgerPutBackTakesItsTokensAgain) {
  const TokenPair good = enroll();
  const TokenPair revoked = enroll();
  ASSERT_TRUE(revoke(*service_, claims_of(revoked.access_token), revoked.refresh_token));
  service_.reset();
  std::filesystem::rename(database(), folder_.path() / "backup");
  open(options_);
  ASSERT_EQ(word(good.access_token), "token_invalid");
  service_.reset();
  std::filesystem::rename(folder_.path() / "backup", database());
  open(options_);
  EXPECT_EQ(word(good.access_token), "good");
  EXPECT_EQ(word(revoked.access_token), "token_revoked");
}

TEST_F(PersistenceTest, AFullDiskIsAnAnswerAndNothingHalfDone) {
  service_.reset();
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    open(options_);
    std::vector<TokenPair> pairs;
    for (int i = 0; i < 50; ++i) pairs.push_back(enroll());
    static_cast<void>(devices(*service_, "alice"));
    const rlimit tight{120'000, 1'000'000'000};
    ::setrlimit(RLIMIT_FSIZE, &tight);
    bool refused = false;
    for (const TokenPair& pair : pairs) {
      const auto answer = revoke(*service_, claims_of(pair.access_token), pair.refresh_token);
      // Confirmed and in effect, or refused and not in effect.
      const bool effective = word(pair.access_token) == "token_revoked";
      if (answer.has_value() != effective) ::_exit(2);
      if (answer.has_error() && answer.error().code != ErrorCode::store_unavailable) ::_exit(3);
      refused = refused || answer.has_error();
    }
    if (!refused) ::_exit(4);
    if (service_->check()) ::_exit(5);
    const rlimit wide{1'000'000'000, 1'000'000'000};
    ::setrlimit(RLIMIT_FSIZE, &wide);
    if (!revoke(*service_, claims_of(pairs.back().access_token), pairs.back().refresh_token))
      ::_exit(6);
    if (!service_->check()) ::_exit(7);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace tars::auth
