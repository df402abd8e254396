#include "app/control/ask_holder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../../support/temp_folder.h"
#include "store/database.h"

namespace tars::app {
namespace {

using testing::HasSubstr;
using What = ControlRequest::What;

class AskHolderTest : public testing::Test {
 protected:
  AskHolderTest() {
    settings_.data_dir = folder_.path() / "data";
    settings_.make_secret_key = true;
  }
  Result<ControlAnswer> issue() {
    ControlRequest request{.what = What::issue};
    request.enroll.client_id = "alice";
    return ask(request);
  }
  Result<ControlAnswer> list() { return ask({.what = What::families}); }
  Result<ControlAnswer> ask(const ControlRequest& request) {
    auto held = ask_holder(settings_, request);
    if (!held) return held.error();
    holder_ = held->holder;
    return std::move(held->answer);
  }

  const TempFolder folder_;
  Holder holder_ = Holder::server;
  config::Settings settings_;
};

TEST_F(AskHolderTest, WithoutAServerItIsDoneHere) {
  const auto pair = issue();
  ASSERT_TRUE(pair) << pair.error().message;
  const auto families = list()->families;
  ASSERT_EQ(families.size(), 1U);
  EXPECT_EQ(families[0].device.family, pair->pair->family);
  ControlRequest revoke{.what = What::revoke};
  revoke.family = pair->pair->family;
  EXPECT_TRUE(ask_holder(settings_, revoke));
  EXPECT_TRUE(list()->families.empty());
  EXPECT_EQ(ask_holder(settings_, revoke).error().code, ErrorCode::not_found);
}

TEST_F(AskHolderTest, AFolderThatIsNewIsToldApart) {
  ASSERT_TRUE(issue());
  EXPECT_EQ(holder_, Holder::nobody_yet);
  ASSERT_TRUE(issue());
  EXPECT_EQ(holder_, Holder::nobody);
}

// As a server would, which takes no such line at all.
TEST_F(AskHolderTest, WhatNoServerTakesIsNotAsked) {
  for (const std::string& name : {std::string(100'000, 'x'), std::string("\xff")}) {
    ControlRequest token{.what = What::issue};
    token.enroll.client_id = "alice";
    token.enroll.device_name = name;
    EXPECT_THAT(ask(token).error().message, HasSubstr("device_name must be at most 128"));
    ControlRequest revoke{.what = What::revoke};
    revoke.family = name;
    EXPECT_THAT(ask(revoke).error().message, HasSubstr("tars devices list"));
  }
  EXPECT_FALSE(std::filesystem::exists(settings_.data_dir));
}

TEST_F(AskHolderTest, OnlyATokenMakesAFolder) {
  EXPECT_THAT(list().error().message, HasSubstr("there is no data folder"));
  EXPECT_FALSE(std::filesystem::exists(settings_.data_dir));
  EXPECT_TRUE(issue());
  EXPECT_TRUE(list());
}

TEST_F(AskHolderTest, StatusIsAServersToTell) {
  EXPECT_EQ(ask_running(settings_.data_dir, {}).error().code, ErrorCode::not_found);
  ASSERT_TRUE(issue());
  EXPECT_EQ(ask_running(settings_.data_dir, {}).error().code, ErrorCode::not_found);
}

TEST_F(AskHolderTest, AHolderThatDoesNotListenIsNamed) {
  ASSERT_TRUE(issue());
  const auto lock = store::FolderLock::acquire(settings_.data_dir).value();
  EXPECT_THAT(list().error().message, HasSubstr(" does not listen on its control.sock, which"));
}

}  // namespace
}  // namespace tars::app
