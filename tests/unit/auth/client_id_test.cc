#include "auth/client_id.h"

#include <gtest/gtest.h>

#include <string>

namespace tars::auth {
namespace {

TEST(ClientId, TakesTheContractsAlphabetAndLengths) {
  for (const std::string& good :
       {std::string("a"), std::string(128, 'z'), std::string("A.b_c:d@e-9")}) {
    EXPECT_TRUE(is_client_id(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string(129, 'a'), std::string(10'000, 'a'), std::string("a b"),
        std::string("a/b"), std::string("a\n"), std::string("a\0b", 3), std::string("\xc3\xa9"),
        std::string("a'b")}) {
    EXPECT_FALSE(is_client_id(bad)) << bad;
  }
}

}  // namespace
}  // namespace tars::auth
