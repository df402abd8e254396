// One service on a folder of its own, with a clock to move.
#pragma once

#include <gtest/gtest.h>

#include "auth_fixture.h"

namespace tars::auth {

inline EnrollRequest request(std::string client, std::string device = "Phone") {
  return {.client_id = std::move(client),
          .device_name = std::move(device),
          .device_type = "ios",
          .enrollment_key = std::nullopt};
}

class ServiceFixture : public ::testing::Test {
 protected:
  void open(Options options) {
    service_.reset();
    options_ = std::move(options);
    service_ = TokenService::open(folder_.path() / "auth.db", options_, clock_).value();
  }
  void SetUp() override { open(test_options()); }

  TokenPair enroll(const std::string& client = "alice") {
    return service_->enroll(request(client)).value();
  }
  // Two requests, one after the other: behind the first the writer thread prunes if that is due.
  void prune() {
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(devices(*service_, "nobody"));
  }
  std::string word(const std::string& token, TokenType type = TokenType::access) {
    const auto claims = service_->verify(token, type);
    return claims ? "good" : claims.error().message;
  }
  Claims claims_of(const std::string& token) { return service_->verify_any(token).value(); }

  const TempFolder folder_;
  ManualClock clock_;
  Options options_;
  std::unique_ptr<TokenService> service_;
};

}  // namespace tars::auth
