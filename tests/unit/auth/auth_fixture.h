// What the tests of this module share: a clock to move, a folder, a signer of forged tokens, and
// waiting for the answers of the writer thread.
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include "../../support/temp_folder.h"
#include "auth/token_service.h"

namespace tars::auth {

// Starts in 2026; wall and steady time move together unless told otherwise. Thread-safe.
class ManualClock final : public Clock {
 public:
  WallTime wall() const override {
    return WallTime(std::chrono::seconds(1'790'000'000)) + std::chrono::seconds(wall_.load());
  }
  SteadyTime steady() const override {
    return SteadyTime(std::chrono::hours(1)) + std::chrono::seconds(steady_.load());
  }
  void advance(std::chrono::seconds by) {
    wall_ += by.count();
    steady_ += by.count();
  }
  void set_back(std::chrono::seconds by) { wall_ -= by.count(); }
  void set_ahead(std::chrono::seconds by) { wall_ += by.count(); }
  std::int64_t seconds() const { return unix_seconds(wall()); }

 private:
  std::atomic<std::int64_t> wall_{0};
  std::atomic<std::int64_t> steady_{0};
};

inline std::string encode_base64url(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  out.resize(static_cast<std::size_t>(EVP_EncodeBlock(
      reinterpret_cast<unsigned char*>(out.data()),
      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()))));
  while (!out.empty() && out.back() == '=') out.pop_back();
  for (char& c : out) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return out;
}

inline std::string hmac(const EVP_MD* hash, std::string_view key, std::string_view text) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned int length = 0;
  HMAC(hash, key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(out.data()), &length);
  out.resize(length);
  return out;
}

// A token of any header and payload, as an attacker (or another issuer) would make it.
inline std::string forge(std::string_view header, std::string_view payload, std::string_view key,
                         const EVP_MD* hash = EVP_sha256()) {
  const std::string body = encode_base64url(header) + "." + encode_base64url(payload);
  return body + "." + encode_base64url(hmac(hash, key, body));
}

inline const std::string kSecret = "a secret of at least 32 bytes, for tests";
inline constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT"})";

inline Options test_options() {
  Options options;
  options.secret_key = kSecret;
  return options;
}

// The claims of a good access token made at `now`; `without` leaves one out, `extra` is put in
// front.
inline std::string claims_json(std::int64_t now, std::string_view without = {},
                               std::string_view extra = {}) {
  const std::pair<std::string_view, std::string> all[] = {{"iss", "\"tars\""},
                                                          {"aud", "\"tars\""},
                                                          {"sub", "\"alice\""},
                                                          {"type", "\"access\""},
                                                          {"jti", "\"tok_1\""},
                                                          {"sid", "\"fam_1\""},
                                                          {"iat", std::to_string(now)},
                                                          {"nbf", std::to_string(now)},
                                                          {"exp", std::to_string(now + 3600)},
                                                          {"device_name", "\"Phone\""},
                                                          {"device_type", "\"ios\""}};
  std::string out = "{";
  out += extra;
  for (const auto& [name, value] : all) {
    if (name == without) continue;
    if (out.size() > 1) out += ",";
    out += "\"" + std::string(name) + "\":" + value;
  }
  return out + "}";
}

// Calls `start` with a callback and waits for what it answers.
template <class T, class F>
Result<T> wait_for(F start) {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  auto answer = promise->get_future();
  start([promise](Result<T> result) { promise->set_value(std::move(result)); });
  return answer.get();
}

inline Result<TokenPair> refresh(TokenService& service, const std::string& token) {
  return wait_for<TokenPair>([&](auto done) { service.refresh(token, done); });
}
inline Result<void> revoke(TokenService& service, const Claims& caller, const std::string& token) {
  return wait_for<void>([&](auto done) { service.revoke(caller, token, done); });
}
inline Result<void> revoke_device(TokenService& service, const Claims& caller,
                                  const std::string& family) {
  return wait_for<void>([&](auto done) { service.revoke_device(caller, family, done); });
}
inline Result<std::vector<Device>> devices(TokenService& service, const std::string& client) {
  return wait_for<std::vector<Device>>(
      [&](auto done) { service.families({.client_id = client}, done); });
}
inline Result<TokenPair> issue(TokenService& service, const EnrollRequest& request) {
  return wait_for<TokenPair>([&](auto done) { service.issue(request, done); });
}
inline Result<std::vector<Device>> families(TokenService& service, const FamilyQuery& query) {
  return wait_for<std::vector<Device>>([&](auto done) { service.families(query, done); });
}

}  // namespace tars::auth
