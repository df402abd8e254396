#include "auth/jws.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "auth/base64url.h"
#include "auth_fixture.h"

namespace tars::auth {
namespace {

// RFC 7515, appendix A.1.
constexpr char kRfcKey[] =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
constexpr char kRfcToken[] =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

TEST(JwsKey, VerifiesTheExampleOfTheRfc) {
  const JwsKey key(*decode_base64url(kRfcKey), "");
  EXPECT_TRUE(key.verify(kRfcToken));
  EXPECT_FALSE(JwsKey("another secret of 32 characters.", "").verify(kRfcToken));
}

TEST(JwsKey, SignsWhatAnotherImplementationWouldSign) {
  const std::string payload = R"({"sub":"anna"})";
  const auto signed_text = JwsKey(kSecret, "k1").sign(payload);
  ASSERT_TRUE(signed_text);
  EXPECT_EQ(*signed_text, forge(R"({"alg":"HS256","typ":"JWT","kid":"k1"})", payload, kSecret));
  EXPECT_EQ(JwsKey(kSecret, "").sign(payload),
            forge(R"({"alg":"HS256","typ":"JWT"})", payload, kSecret));
}

TEST(JwsKey, AnySecretButAnEmptyOneSigns) {
  for (const std::string& secret :
       {std::string("x"), std::string(10'000, 'x'), std::string("a\0b\xff", 4)}) {
    const JwsKey key(secret, "");
    const auto signed_text = key.sign("{}");
    ASSERT_TRUE(signed_text) << secret.size();
    EXPECT_TRUE(key.verify(*signed_text)) << secret.size();
  }
  EXPECT_FALSE(JwsKey("", "").sign("{}"));
  EXPECT_FALSE(JwsKey("", "").verify(forge(kHeader, "{}", "")));
}

TEST(JwsKey, WhatIsNoCompactFormIsNotVerified) {
  const JwsKey key(kSecret, "");
  const std::string good = *key.sign("{}");
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("..."), good + ".",
        good + ".a", "." + good, good.substr(1), std::string(5000, 'e'), std::string(5, '\0')}) {
    EXPECT_FALSE(key.verify(bad)) << bad;
  }
}

// cjose aborts over some of these when they reach it.
TEST(JwsKey, WhatIsNoBase64urlIsNotVerifiedWhereverItStands) {
  const JwsKey key(kSecret, "");
  const std::string good = *key.sign(R"({"sub":"anna"})");
  for (const char bad : {'=', '+', '/', ' ', '\n', '\0', '\x7f', '\xff'}) {
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::string text = good;
      text[at] = bad;
      EXPECT_FALSE(key.verify(text)) << at;
      text.insert(text.begin() + static_cast<std::ptrdiff_t>(at), bad);
      EXPECT_FALSE(key.verify(text)) << at;
    }
  }
}

TEST(JwsKey, ThreadsShareAKey) {
  const JwsKey key(kSecret, "k1");
  const std::string expected = *key.sign("{}");
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 500; ++n) {
        if (key.sign("{}") != expected || !key.verify(expected)) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace tars::auth
