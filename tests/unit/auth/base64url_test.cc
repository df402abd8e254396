#include "auth/base64url.h"

#include <gtest/gtest.h>

#include "auth_fixture.h"

namespace tars::auth {
namespace {

TEST(Base64Url, DecodesEveryLength) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    const auto decoded = decode_base64url(encode_base64url(bytes));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, bytes);
    bytes += static_cast<char>(i * 37);
  }
}

TEST(Base64Url, RefusesForeignCharactersAndPadding) {
  for (const char* text : {"AA+A", "AA/A", "AA==", "AAA=", "AA A", "AA\nA", "AA.A", "=",
                           "A\xff"
                           "AA"}) {
    EXPECT_FALSE(decode_base64url(text)) << text;
  }
  EXPECT_FALSE(decode_base64url(std::string_view("AA\0A", 4)));
}

TEST(Base64Url, RefusesImpossibleLengths) {
  EXPECT_FALSE(decode_base64url("A"));
  EXPECT_FALSE(decode_base64url("AAAAA"));
}

TEST(Base64Url, RefusesUnusedBits) {
  EXPECT_TRUE(decode_base64url("AA"));
  EXPECT_FALSE(decode_base64url("AB"));
  EXPECT_TRUE(decode_base64url("AAA"));
  EXPECT_FALSE(decode_base64url("AAB"));
  EXPECT_TRUE(decode_base64url("AAE"));
}

}  // namespace
}  // namespace tars::auth
