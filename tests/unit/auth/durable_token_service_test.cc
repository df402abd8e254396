#include "auth/durable_token_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service_fixture.h"

namespace tars::auth {
namespace {

using namespace std::chrono_literals;

using DurableTokenServiceTest = ServiceFixture;

TEST_F(DurableTokenServiceTest, EnrollsAPairOfOneFamily) {
  const TokenPair pair = enroll();
  EXPECT_EQ(pair.expires_in, 24h);
  const Claims access = service_->verify(pair.access_token, TokenType::access).value();
  const Claims refresh_claims = service_->verify(pair.refresh_token, TokenType::refresh).value();
  EXPECT_EQ(access.client_id, "alice");
  EXPECT_EQ(access.device_name, "Phone");
  EXPECT_EQ(access.device_type, "ios");
  EXPECT_EQ(access.issued_at, clock_.seconds());
  EXPECT_EQ(access.expires_at, clock_.seconds() + 86400);
  EXPECT_EQ(refresh_claims.expires_at, clock_.seconds() + 7 * 86400);
  EXPECT_EQ(access.family, refresh_claims.family);
  EXPECT_NE(access.token_id, refresh_claims.token_id);
  EXPECT_FALSE(access.admin);
}

TEST_F(DurableTokenServiceTest, CrossJwtConfusionIsAWrongType) {
  const TokenPair pair = enroll();
  EXPECT_EQ(word(pair.refresh_token, TokenType::access), "token_wrong_type");
  EXPECT_EQ(word(pair.access_token, TokenType::refresh), "token_wrong_type");
  const auto answer = refresh(*service_, pair.access_token);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::invalid_token);
  EXPECT_EQ(answer.error().message, "token_wrong_type");
}

TEST_F(DurableTokenServiceTest, ExpiryHasALeeway) {
  const TokenPair pair = enroll();
  clock_.advance(24h + 29s);
  EXPECT_EQ(word(pair.access_token), "good");
  clock_.advance(1s);
  EXPECT_EQ(word(pair.access_token), "token_expired");
  EXPECT_EQ(word(pair.refresh_token, TokenType::refresh), "good");
  clock_.advance(6 * 24h);
  EXPECT_EQ(refresh(*service_, pair.refresh_token).error().message, "token_expired");
}

TEST_F(DurableTokenServiceTest, ATokenFromTheFutureIsNotYetValid) {
  const auto at = [&](std::int64_t seconds) {
    return forge(kHeader, claims_json(clock_.seconds() + seconds), kSecret);
  };
  EXPECT_EQ(word(at(30)), "good");
  EXPECT_EQ(word(at(31)), "token_not_yet_valid");
  EXPECT_EQ(word(at(1'000'000'000)), "token_not_yet_valid");
}

TEST_F(DurableTokenServiceTest, WhatWasForgottenAsExpiredStaysExpired) {
  const TokenPair pair = enroll();
  ASSERT_TRUE(revoke(*service_, claims_of(pair.access_token), pair.refresh_token));
  clock_.advance(8 * 24h);
  prune();
  clock_.set_back(8 * 24h);
  EXPECT_EQ(word(pair.access_token), "token_expired");
  EXPECT_EQ(word(pair.refresh_token, TokenType::refresh), "token_expired");
  open(options_);
  EXPECT_EQ(word(pair.access_token), "token_expired");
  // Until the clock is right again no token could be good, so none is made.
  const auto refused = service_->enroll(request("alice"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("clock"));
  EXPECT_EQ(service_->check().error().message, refused.error().message) << "/ready says so";
  EXPECT_EQ(refused.error().retry_after, 1h);
  // As long as an access token is too short to reach what was forgotten.
  clock_.advance(6 * 24h);
  EXPECT_FALSE(service_->enroll(request("alice")));
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr(format_rfc3339(clock_.wall() + 1s)));
  clock_.advance(1s);
  EXPECT_TRUE(service_->check());
  EXPECT_EQ(word(enroll().access_token), "good");
}

TEST_F(DurableTokenServiceTest, AClockThatIsAheadForAMomentEndsNothing) {
  const TokenPair pair = enroll();
  const TokenPair next = refresh(*service_, pair.refresh_token).value();
  clock_.advance(1h);
  prune();
  clock_.advance(1h);  // due again
  clock_.set_ahead(30 * 24h);
  prune();
  clock_.advance(2s);
  clock_.set_back(30 * 24h);
  prune();
  EXPECT_EQ(word(next.access_token), "good");
  EXPECT_EQ(word(enroll().access_token), "good");
  EXPECT_TRUE(service_->check());
}

TEST_F(DurableTokenServiceTest, AStartWithAClockThatIsAheadEndsNothing) {
  const TokenPair pair = enroll();
  const TokenPair next = refresh(*service_, pair.refresh_token).value();
  clock_.set_ahead(30 * 24h);
  open(options_);
  prune();
  clock_.advance(60s);
  prune();
  clock_.set_back(30 * 24h);
  prune();
  open(options_);
  EXPECT_EQ(word(next.access_token), "good");
  EXPECT_EQ(word(enroll().access_token), "good");
}

TEST_F(DurableTokenServiceTest, AForgottenFamilyEndsNoTokenButCanBeRevoked) {
  Options longer = test_options();
  longer.refresh_lifetime = 10 * 24h;
  open(longer);
  const TokenPair pair = enroll();
  ASSERT_EQ(devices(*service_, "alice")->size(), 1U);
  open(test_options());
  clock_.advance(11 * 24h);
  prune();
  clock_.set_back(11 * 24h);
  EXPECT_TRUE(devices(*service_, "alice")->empty()) << "forgotten";
  EXPECT_EQ(word(pair.refresh_token, TokenType::refresh), "good") << "it was never revoked";
  const Claims claims = claims_of(pair.access_token);
  ASSERT_TRUE(revoke_device(*service_, claims, claims.family));
  clock_.advance(8 * 24h);
  prune();
  EXPECT_EQ(word(pair.refresh_token, TokenType::refresh), "token_revoked")
      << "longer than a token that is made today";
}

TEST_F(DurableTokenServiceTest, TouchMovesLastSeenOncePerMinute) {
  const TokenPair pair = enroll();
  const Claims claims = claims_of(pair.access_token);
  const auto seen = [&] {
    return unix_seconds(devices(*service_, "alice").value().at(0).last_seen_at);
  };
  clock_.advance(100s);
  service_->touch(claims);
  const std::int64_t first = clock_.seconds();
  EXPECT_EQ(seen(), first);
  clock_.advance(59s);
  service_->touch(claims);
  EXPECT_EQ(seen(), first);
  clock_.advance(1s);
  service_->touch(claims);
  EXPECT_EQ(seen(), first + 60);
}

TEST_F(DurableTokenServiceTest, ThePreviousKeyEndsOnItsDate) {
  const TokenPair old_pair = enroll();
  Options options = test_options();
  options.secret_key = "another secret of at least 32 bytes!!";
  options.previous_secret_key = kSecret;
  options.previous_valid_until = clock_.wall() + 3600s;
  open(options);
  EXPECT_EQ(word(old_pair.access_token), "good");
  const TokenPair fresh = refresh(*service_, old_pair.refresh_token).value();
  clock_.advance(3600s);
  EXPECT_EQ(word(old_pair.access_token), "token_invalid");
  EXPECT_EQ(word(fresh.access_token), "good");
}

TEST_F(DurableTokenServiceTest, AskedForAKeyItOpensOnlyWithIt) {
  Options options = test_options();
  options.enrollment = Enrollment::key;
  options.enrollment_key = "open sesame";
  open(options);
  EXPECT_EQ(service_->enroll(request("alice")).error().code, ErrorCode::forbidden);
  EnrollRequest with_key = request("alice");
  with_key.enrollment_key = "open sesame";
  EXPECT_TRUE(service_->enroll(with_key));
}

TEST_F(DurableTokenServiceTest, AnswersDrainingAfterShutdown) {
  const TokenPair pair = enroll();
  service_->shutdown();
  service_->shutdown();
  EXPECT_EQ(service_->enroll(request("alice")).error().code, ErrorCode::draining);
  EXPECT_EQ(refresh(*service_, pair.refresh_token).error().code, ErrorCode::draining);
  EXPECT_EQ(word(pair.access_token), "good");
}

}  // namespace
}  // namespace tars::auth
