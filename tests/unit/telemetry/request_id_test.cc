#include "telemetry/request_id.h"

#include <gtest/gtest.h>

namespace tars::telemetry {
namespace {

TEST(RequestId, ASaneOneIsKept) {
  for (const std::string& sane :
       {std::string("a"), std::string("A-1_2.3:/+=@"), std::string(128, 'x')}) {
    EXPECT_EQ(request_id(sane), sane);
  }
}

TEST(RequestId, AnythingElseIsReplaced) {
  for (const std::string& bad :
       {std::string(), std::string("a b"), std::string("a\r\nX: y"), std::string("\xC3\xA9"),
        std::string(129, 'x'), std::string("a\0", 2), std::string("<x>")}) {
    const std::string made = request_id(bad);
    EXPECT_NE(made, bad);
    EXPECT_TRUE(made.starts_with("req_"));
  }
  EXPECT_NE(request_id(""), request_id(""));
}

}  // namespace
}  // namespace tars::telemetry
