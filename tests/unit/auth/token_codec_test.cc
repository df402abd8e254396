// RFC 8725's attacks by name, on the codec alone.
#include "auth/token_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "auth_fixture.h"

namespace tars::auth {
namespace {

constexpr std::int64_t kNow = 1'790'000'000;

class TokenCodecTest : public ::testing::Test {
 protected:
  bool accepts(const std::string& token) const { return codec_.decode(token).has_value(); }
  void refuses(const std::string& token) const {
    const auto decoded = codec_.decode(token);
    ASSERT_FALSE(decoded) << token;
    EXPECT_EQ(decoded.error().code, ErrorCode::invalid_token);
    EXPECT_EQ(decoded.error().message, "token_invalid");
  }
  static std::string with_header(std::string_view header) {
    return forge(header, claims_json(kNow), kSecret);
  }
  static std::string with_claims(std::string_view claims) {
    return forge(kHeader, claims, kSecret);
  }
  // A good token with one claim replaced.
  static std::string with(std::string_view name, std::string_view value) {
    return with_claims(
        claims_json(kNow, name, "\"" + std::string(name) + "\":" + std::string(value)));
  }

  TokenCodec codec_{test_options()};
};

TEST_F(TokenCodecTest, ReadsWhatItSigned) {
  const Claims claims{.client_id = "alice@home:1",
                      .family = "fam_x",
                      .token_id = "tok_x",
                      .type = TokenType::refresh,
                      .device_name = "Anna's \"Phone\" \xc3\xa9",
                      .device_type = "",
                      .issued_at = kNow,
                      .expires_at = kNow + 5};
  const auto token = codec_.encode(claims);
  ASSERT_TRUE(token);
  const auto read = codec_.decode(*token);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->claims.client_id, claims.client_id);
  EXPECT_EQ(read->claims.family, claims.family);
  EXPECT_EQ(read->claims.token_id, claims.token_id);
  EXPECT_EQ(read->claims.type, TokenType::refresh);
  EXPECT_EQ(read->claims.device_name, claims.device_name);
  EXPECT_EQ(read->claims.device_type, "");
  EXPECT_EQ(read->claims.issued_at, kNow);
  EXPECT_EQ(read->claims.expires_at, kNow + 5);
  EXPECT_EQ(read->not_before, kNow);
  EXPECT_FALSE(read->previous_key);
}

TEST_F(TokenCodecTest, ReadsAGoodForgery) {
  // Every attack below is this token with one thing changed; so it must be good itself.
  EXPECT_TRUE(accepts(with_claims(claims_json(kNow))));
  EXPECT_TRUE(accepts(with("aud", "\"tars\"")));
}

TEST_F(TokenCodecTest, MissingToken) {
  const auto decoded = codec_.decode("");
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, ErrorCode::unauthorized);
  EXPECT_EQ(decoded.error().message, "token_missing");
}

TEST_F(TokenCodecTest, AlgorithmNoneInEverySpelling) {
  for (const std::string alg : {"none", "None", "NONE", "nOnE", "none ", "", "null"}) {
    const std::string header = R"({"alg":")" + alg + R"(","typ":"JWT"})";
    const std::string body = encode_base64url(header) + "." + encode_base64url(claims_json(kNow));
    refuses(body + ".");
    refuses(body);
    refuses(with_header(header));
  }
  refuses(with_header(R"({"typ":"JWT"})"));
  refuses(with_header(R"({"alg":null,"typ":"JWT"})"));
  refuses(with_header(R"({"alg":["HS256"],"typ":"JWT"})"));
}

TEST_F(TokenCodecTest, AnotherHmacAlgorithmWithTheRightKey) {
  const std::string claims = claims_json(kNow);
  refuses(forge(R"({"alg":"HS384","typ":"JWT"})", claims, kSecret, EVP_sha384()));
  refuses(forge(R"({"alg":"HS512","typ":"JWT"})", claims, kSecret, EVP_sha512()));
  refuses(forge(kHeader, claims, kSecret, EVP_sha512()));
  refuses(with_header(R"({"alg":"hs256","typ":"JWT"})"));
}

TEST_F(TokenCodecTest, AsymmetricAlgorithmConfusion) {
  for (const std::string alg : {"RS256", "RS512", "ES256", "PS256", "EdDSA"}) {
    refuses(with_header(R"({"alg":")" + alg + R"(","typ":"JWT"})"));
  }
}

TEST_F(TokenCodecTest, KeyConfusionWithAPublicKeyAsSecret) {
  const std::string pem =
      "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9"
      "\nq9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n-----END PUBLIC KEY-----\n";
  refuses(forge(kHeader, claims_json(kNow), pem));
  refuses(forge(kHeader, claims_json(kNow), ""));
}

TEST_F(TokenCodecTest, StrippedOrCutSignature) {
  const std::string good = with_claims(claims_json(kNow));
  const std::string body = good.substr(0, good.rfind('.'));
  for (const std::string tail : {"", ".", ".AAAA", "..", ". "}) refuses(body + tail);
  for (std::size_t cut = 1; cut < 43; ++cut) refuses(good.substr(0, good.size() - cut));
}

TEST_F(TokenCodecTest, EveryChangedCharacterBreaksIt) {
  const std::string good = with_claims(claims_json(kNow));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    refuses(bad);
  }
}

TEST_F(TokenCodecTest, KidInjection) {
  for (const std::string kid :
       {R"("../../../../dev/null")", R"("' OR 1=1 --")", R"("unknown")", R"("")", "5", "null", "[]",
        R"({"a":1})", R"("a\u0000b")", R"("http://attacker/key")"}) {
    refuses(with_header(R"({"alg":"HS256","typ":"JWT","kid":)" + kid + "}"));
  }
}

TEST_F(TokenCodecTest, KeysOfferedByTheTokenAreNotRead) {
  for (const std::string header : {R"({"alg":"HS256","jwk":{"kty":"oct","k":"YXR0YWNrZXI"}})",
                                   R"({"alg":"HS256","jku":"http://127.0.0.1:1/keys"})",
                                   R"({"alg":"HS256","x5u":"http://x"})"}) {
    refuses(forge(header, claims_json(kNow), "attacker"));
  }
}

TEST_F(TokenCodecTest, UnknownCriticalExtension) {
  refuses(with_header(R"({"alg":"HS256","crit":["exp"]})"));
  refuses(with_header(R"({"alg":"HS256","crit":["b64"],"b64":false})"));
}

TEST_F(TokenCodecTest, AnotherKindOfToken) {
  for (const std::string type : {"\"at+jwt\"", "\"JOSE\"", "5", "null"}) {
    refuses(with_header(R"({"alg":"HS256","typ":)" + type + "}"));
  }
  EXPECT_TRUE(accepts(with_header(R"({"alg":"HS256"})")));
}

TEST_F(TokenCodecTest, DuplicateHeaderMembers) {
  refuses(with_header(R"({"alg":"none","alg":"HS256","typ":"JWT"})"));
  refuses(with_header(R"({"alg":"HS256","\u0061lg":"HS256"})"));
}

TEST_F(TokenCodecTest, EncryptedShapeAndOtherNumbersOfParts) {
  const std::string good = with_claims(claims_json(kNow));
  for (const std::string& token :
       {good + ".x", good + ".", "." + good, good + ".x.y", std::string("a.b.c.d.e"),
        std::string("...."), std::string("a"), std::string("."), std::string("..")}) {
    refuses(token);
  }
}

TEST_F(TokenCodecTest, MissingClaims) {
  for (const auto* name : {"iss", "aud", "sub", "type", "jti", "sid", "iat", "nbf", "exp"}) {
    refuses(with_claims(claims_json(kNow, name)));
  }
}

TEST_F(TokenCodecTest, ClaimsOfAnotherType) {
  for (const auto* name :
       {"iss", "aud", "sub", "type", "jti", "sid", "device_name", "device_type"}) {
    for (const auto* value : {"5", "null", "true", "[\"tars\"]", "{}", "1.5"})
      refuses(with(name, value));
  }
  for (const auto* name : {"iat", "nbf", "exp"}) {
    for (const auto* value : {"\"1790003600\"", "null", "true", "[]", "1790003600.0", "1e10", "-1",
                              "99999999999999999999", "9223372036854775807"}) {
      refuses(with(name, value));
    }
  }
}

TEST_F(TokenCodecTest, WrongIssuerAudienceOrType) {
  refuses(with("iss", "\"someone-else\""));
  refuses(with("iss", "\"TARS\""));
  refuses(with("aud", "\"another-service\""));
  refuses(with("aud", "[\"tars\",\"another-service\"]"));
  refuses(with("type", "\"id\""));
  refuses(with("sub", "\"\""));
  refuses(with("sub", "\"a b\""));
  refuses(with("sub", "\"" + std::string(129, 'a') + "\""));
  refuses(with("jti", "\"'; DROP TABLE families; --\""));
  refuses(with("sid", "\"" + std::string(65, 'a') + "\""));
}

TEST_F(TokenCodecTest, DuplicateClaims) {
  for (const auto* extra : {"\"sub\":\"admin\"", "\"type\":\"refresh\"", "\"exp\":99999999999"}) {
    refuses(with_claims(claims_json(kNow, {}, extra)));
  }
  refuses(with_claims(claims_json(kNow, {}, R"("s\u0075b":"admin")")));
}

TEST_F(TokenCodecTest, PayloadThatIsNoObject) {
  for (const std::string& payload :
       {std::string("[]"), std::string("null"), std::string("\"text\""), std::string("5"),
        std::string("{"), std::string("\xff"), std::string(3000, '['), std::string("{}x"),
        std::string(), claims_json(kNow) + std::string("\0junk", 5),
        claims_json(kNow, {}, R"("x":"\ud800")")}) {
    refuses(with_claims(payload));
  }
}

TEST_F(TokenCodecTest, OverlongToken) {
  refuses(std::string(kMaxTokenBytes + 1, 'a'));
  refuses(with("device_name", "\"" + std::string(9000, 'a') + "\""));
  refuses(std::string(10'000'000, '.'));
}

TEST_F(TokenCodecTest, OtherSpellingsOfTheSameBytes) {
  const std::string good = with_claims(claims_json(kNow));
  const std::size_t first = good.find('.');
  const std::size_t last = good.rfind('.');
  // The last character of 32 bytes carries two bits that are not used.
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string bits = good;
  bits.back() = kAlphabet[kAlphabet.find(good.back()) + 1];
  for (const std::string& token :
       {bits, good + "=", good.substr(0, first) + "=" + good.substr(first),
        good.substr(0, last) + "\n" + good.substr(last), " " + good, good + " ",
        good + std::string("\0", 1), good + std::string("\0x", 2), std::string("\0", 1) + good,
        good.substr(0, first) + std::string("\0", 1) + good.substr(first)}) {
    refuses(token);
  }
}

TEST_F(TokenCodecTest, KeyOverlap) {
  Options options = test_options();
  options.secret_key = "another secret of at least 32 bytes!!";
  options.previous_secret_key = kSecret;
  const TokenCodec next(options);
  Claims claims;
  claims.client_id = claims.family = claims.token_id = "a";
  const auto old_token = codec_.encode(claims).value();
  const auto new_token = next.encode(claims).value();
  EXPECT_TRUE(next.decode(old_token)->previous_key);
  EXPECT_FALSE(next.decode(new_token)->previous_key);
  refuses(new_token);
  // A kid only chooses: the one key's name with the other key's signature is nothing.
  const auto header_of = [](const std::string& token) { return token.substr(0, token.find('.')); };
  const std::string body = header_of(new_token) + "." + encode_base64url(claims_json(kNow));
  const std::string crossed = body + "." + encode_base64url(hmac(EVP_sha256(), kSecret, body));
  EXPECT_FALSE(next.decode(crossed));
}

// Same secret, another ledger: what it knows about revocations says nothing about this token.
TEST_F(TokenCodecTest, TokensOfAnotherLedger) {
  const TokenCodec first(test_options(), "first");
  const TokenCodec second(test_options(), "second");
  const TokenCodec unknown(test_options(), std::nullopt);
  Claims claims;
  claims.client_id = "alice";
  claims.family = "fam_x";
  claims.token_id = "tok_x";
  const std::string token = first.encode(claims).value();
  EXPECT_TRUE(first.decode(token));
  EXPECT_FALSE(second.decode(token));
  EXPECT_TRUE(unknown.decode(token)) << "the caller refuses it with the store's error";
  EXPECT_FALSE(unknown.decode(token + "x"));
}

TEST_F(TokenCodecTest, RandomBytesAreRefused) {
  std::mt19937 random(7);
  static constexpr std::string_view kLikely = "eyJhbGciOiJIUzI1NiJ9...{}\":,\0";
  for (int i = 0; i < 20000; ++i) {
    std::string token(random() % 200, '\0');
    for (char& c : token) {
      c = random() % 2 ? kLikely[random() % kLikely.size()] : static_cast<char>(random() % 256);
    }
    ASSERT_FALSE(codec_.decode(token));
  }
}

TEST_F(TokenCodecTest, RandomSignedPayloadsNeverCrash) {
  std::mt19937 random(8);
  const std::string good = claims_json(kNow);
  for (int i = 0; i < 3000; ++i) {
    std::string payload = good;
    for (int change = 0; change < 3; ++change) {
      payload[random() % payload.size()] = static_cast<char>(random() % 256);
    }
    const auto decoded = codec_.decode(with_claims(payload));
    if (!decoded) continue;
    EXPECT_FALSE(decoded->claims.client_id.empty());
    EXPECT_GE(decoded->claims.expires_at, 0);
  }
}

}  // namespace
}  // namespace tars::auth
