#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "service_fixture.h"

namespace tars::auth {
namespace {

using namespace std::chrono_literals;

using DurableRequestsTest = ServiceFixture;

TEST_F(DurableRequestsTest, RotationSpendsTheOldToken) {
  const TokenPair first = enroll();
  const TokenPair second = refresh(*service_, first.refresh_token).value();
  EXPECT_EQ(claims_of(second.access_token).family, claims_of(first.access_token).family);
  EXPECT_EQ(claims_of(second.access_token).device_name, "Phone");
  EXPECT_EQ(word(first.refresh_token, TokenType::refresh), "token_revoked");
  EXPECT_EQ(word(first.access_token), "good");
  EXPECT_EQ(word(second.access_token), "good");
}

TEST_F(DurableRequestsTest, ReuseRevokesTheFamily) {
  std::vector<Revocation> heard;
  service_->set_revocation_listener([&](const Revocation& r) { heard.push_back(r); });
  const TokenPair first = enroll();
  const TokenPair other = enroll();
  const std::string family = claims_of(first.access_token).family;
  const TokenPair second = refresh(*service_, first.refresh_token).value();
  const auto reuse = refresh(*service_, first.refresh_token);
  ASSERT_FALSE(reuse);
  EXPECT_EQ(reuse.error().code, ErrorCode::token_revoked);
  for (const std::string& token : {first.access_token, second.access_token}) {
    EXPECT_EQ(word(token), "token_revoked");
  }
  EXPECT_EQ(refresh(*service_, second.refresh_token).error().code, ErrorCode::token_revoked);
  EXPECT_EQ(word(other.access_token), "good");
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].family, family);
  EXPECT_EQ(heard[0].client_id, "alice");
  EXPECT_EQ(heard[0].token_id, "");
}

TEST_F(DurableRequestsTest, GraceForgivesAQuickSecondUse) {
  Options options = test_options();
  options.refresh_grace = 10s;
  open(options);
  const TokenPair first = enroll();
  const TokenPair second = refresh(*service_, first.refresh_token).value();
  clock_.advance(9s);
  const auto again = refresh(*service_, first.refresh_token);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_NE(again->refresh_token, second.refresh_token);
  EXPECT_EQ(word(second.access_token), "good");
  // The grace runs from the first use, not from the last.
  clock_.advance(1s);
  EXPECT_FALSE(refresh(*service_, first.refresh_token));
  EXPECT_EQ(word(again->access_token), "token_revoked");
}

TEST_F(DurableRequestsTest, AClockSetBackForgivesNothing) {
  Options options = test_options();
  options.refresh_grace = 10s;
  open(options);
  const TokenPair first = enroll();
  ASSERT_TRUE(refresh(*service_, first.refresh_token));
  clock_.set_back(5s);
  EXPECT_EQ(refresh(*service_, first.refresh_token).error().code, ErrorCode::token_revoked);
  const TokenPair gone = enroll();
  ASSERT_TRUE(revoke(*service_, claims_of(gone.access_token), gone.refresh_token));
  clock_.set_back(20s);
  EXPECT_EQ(word(gone.access_token), "token_revoked");
}

TEST_F(DurableRequestsTest, RevokingAnAccessTokenEndsThatTokenAlone) {
  std::vector<Revocation> heard;
  service_->set_revocation_listener([&](const Revocation& r) { heard.push_back(r); });
  const TokenPair pair = enroll();
  const Claims claims = claims_of(pair.access_token);
  ASSERT_TRUE(revoke(*service_, claims, pair.access_token));
  EXPECT_EQ(word(pair.access_token), "token_revoked");
  EXPECT_EQ(word(pair.refresh_token, TokenType::refresh), "good");
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].token_id, claims.token_id);
  ASSERT_TRUE(revoke(*service_, claims, pair.access_token));
  EXPECT_EQ(heard.size(), 1U) << "the second revocation changed nothing";
  EXPECT_TRUE(refresh(*service_, pair.refresh_token));
}

TEST_F(DurableRequestsTest, RevokingARefreshTokenEndsItsFamily) {
  const TokenPair pair = enroll();
  ASSERT_TRUE(revoke(*service_, claims_of(pair.access_token), pair.refresh_token));
  EXPECT_EQ(word(pair.access_token), "token_revoked");
  EXPECT_EQ(word(pair.refresh_token, TokenType::refresh), "token_revoked");
  EXPECT_TRUE(devices(*service_, "alice")->empty());
}

TEST_F(DurableRequestsTest, AnEmptyTokenIsTheCallersOwn) {
  const TokenPair pair = enroll();
  ASSERT_TRUE(revoke(*service_, claims_of(pair.access_token), ""));
  EXPECT_EQ(word(pair.access_token), "token_revoked");
  EXPECT_EQ(word(pair.refresh_token, TokenType::refresh), "good");
}

TEST_F(DurableRequestsTest, RevokingSomethingForeignSucceedsAndDoesNothing) {
  const TokenPair alice = enroll("alice");
  const TokenPair bob = enroll("bob");
  const Claims caller = claims_of(bob.access_token);
  const std::string foreign =
      forge(kHeader, claims_json(clock_.seconds()), "another key entirely ......");
  for (const std::string& token : {std::string("rubbish"), foreign, alice.access_token,
                                   alice.refresh_token, std::string(20000, 'x')}) {
    EXPECT_TRUE(revoke(*service_, caller, token));
  }
  EXPECT_EQ(word(alice.access_token), "good");
  EXPECT_EQ(word(bob.access_token), "good");
}

TEST_F(DurableRequestsTest, AnAdminRevokesForAll) {
  Options options = test_options();
  options.admin_clients = {"root"};
  open(options);
  const TokenPair alice = enroll("alice");
  const TokenPair root = enroll("root");
  const Claims admin = claims_of(root.access_token);
  EXPECT_TRUE(admin.admin);
  ASSERT_TRUE(revoke(*service_, admin, alice.access_token));
  EXPECT_EQ(word(alice.access_token), "token_revoked");
  ASSERT_TRUE(revoke_device(*service_, admin, claims_of(alice.refresh_token).family));
  EXPECT_EQ(word(alice.refresh_token, TokenType::refresh), "token_revoked");
}

TEST_F(DurableRequestsTest, ListsTheClientsDevices) {
  const TokenPair phone = service_->enroll(request("alice", "Phone")).value();
  clock_.advance(10s);
  const TokenPair laptop = service_->enroll(request("alice", "Laptop")).value();
  enroll("bob");
  auto list = devices(*service_, "alice").value();
  ASSERT_EQ(list.size(), 2U);
  // Ids made in one millisecond have no order.
  std::ranges::sort(list, {}, &Device::device_name);
  EXPECT_EQ(list[0].device_name, "Laptop");
  EXPECT_EQ(list[1].device_name, "Phone");
  EXPECT_EQ(list[1].device_type, "ios");
  EXPECT_EQ(list[1].family, claims_of(phone.access_token).family);
  EXPECT_EQ(unix_seconds(list[1].created_at), clock_.seconds() - 10);
  EXPECT_EQ(list[0].family, claims_of(laptop.access_token).family);
}

TEST_F(DurableRequestsTest, RevokesADeviceOfTheCaller) {
  const TokenPair pair = enroll("alice");
  const TokenPair other = enroll("alice");
  const TokenPair bob = enroll("bob");
  const Claims alice = claims_of(pair.access_token);
  const std::string family = claims_of(other.access_token).family;
  EXPECT_EQ(revoke_device(*service_, alice, "fam_unknown").error().code, ErrorCode::not_found);
  EXPECT_EQ(revoke_device(*service_, claims_of(bob.access_token), family).error().code,
            ErrorCode::not_found);
  ASSERT_TRUE(revoke_device(*service_, alice, family));
  EXPECT_EQ(word(other.access_token), "token_revoked");
  EXPECT_EQ(word(pair.access_token), "good");
  EXPECT_EQ(revoke_device(*service_, alice, family).error().code, ErrorCode::not_found);
}

TEST_F(DurableRequestsTest, TakesUpAFamilyThatACrashForgot) {
  const std::string token = forge(kHeader, claims_json(clock_.seconds()), kSecret);
  const Claims claims = claims_of(token);
  service_->touch(claims);
  EXPECT_EQ(devices(*service_, "alice").value().at(0).family, "fam_1");
  ASSERT_TRUE(revoke_device(*service_, claims, "fam_1"));
  EXPECT_EQ(word(token), "token_revoked");
}

TEST_F(DurableRequestsTest, AnIssuedPairNeedsNoEnrolmentAndIsStored) {
  Options closed = test_options();
  closed.enrollment = Enrollment::closed;
  open(closed);
  const TokenPair pair = issue(*service_, request("robot")).value();
  EXPECT_EQ(claims_of(pair.access_token).client_id, "robot");
  open(closed);
  const auto stored = families(*service_, {}).value();
  ASSERT_EQ(stored.size(), 1U);
  EXPECT_EQ(stored[0].client_id, "robot");
  EXPECT_EQ(stored[0].device_name, "Phone");
  EXPECT_EQ(stored[0].family, claims_of(pair.access_token).family);
  EXPECT_TRUE(refresh(*service_, pair.refresh_token));
}

TEST_F(DurableRequestsTest, AnIssuedPairKeepsTheRulesForNames) {
  EXPECT_EQ(issue(*service_, request("no good")).error().code, ErrorCode::invalid_request);
}

}  // namespace
}  // namespace tars::auth
